import type { Node } from './model.ts'

/** A model, or a request about one, that breaks a rule. The message names the thing, the rule and the value. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}

/** What a node is called in error messages: `node "conv1" (Conv)`; its first output stands for an empty name. */
export const describeNode = ({
  operator,
  domain,
  name,
  outputs,
}: Pick<Node, 'operator' | 'domain' | 'name' | 'outputs'>): string =>
  `node "${name || (outputs[0] ?? '')}" (${domain && `${domain}.`}${operator})`
