/** Something asked of a trainer that breaks a rule: the message names the thing, the rule and the value. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError'
}
