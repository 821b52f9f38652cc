/** Something asked of a trainer that breaks a rule: the message names the thing, the rule and the value. */
export class TrainerError extends Error {
  override readonly name: 'TrainerError' | 'NotFiniteError' = 'TrainerError'
}

/** A loss that is not finite: unlike a passing fault of the machine, it comes again. */
export class NotFiniteError extends TrainerError {
  override readonly name = 'NotFiniteError'
}
