/** A model, or something asked of one, that breaks a rule: the message names the thing, the rule and the value. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}
