/** A violated rule of a trainer's input or state. The message names the thing, the rule and the value. */
export class TrainerError extends Error {
  override readonly name: 'TrainerError' | 'NotFiniteError' = 'TrainerError'
}

/** A loss of NaN or infinity. Repeating the step gives it again, unlike a lack of memory. */
export class NotFiniteError extends TrainerError {
  override readonly name = 'NotFiniteError'
}

/**
 * @param updates - the number of updates before this step.
 * @param rank - whose loss it is, if there are several.
 * @throws {NotFiniteError} If the loss is not finite; names the step, counted from 1.
 */
export function assertFiniteLoss(loss: number, updates: number, rank?: number): void {
  if (Number.isFinite(loss)) return
  const whose = rank === undefined ? '' : ` of rank ${rank}`
  throw new NotFiniteError(
    `step ${updates + 1}: the loss${whose} must be finite, but is ${loss}; the weights are unchanged`,
  )
}
