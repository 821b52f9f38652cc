import { NotFiniteError } from './error.ts'

/**
 * Makes sure that a loss is a number that can be trained on.
 *
 * @throws {NotFiniteError} Naming the step, counted from 1.
 */
export function mustBeFinite(loss: number, updates: number): void {
  if (Number.isFinite(loss)) return
  throw new NotFiniteError(
    `step ${updates + 1}: the loss must be finite, but is ${loss}; the weights are as before it`,
  )
}
