import type { Node } from './model.ts'

/** A model, or a request about one, that breaks a rule. The message names the thing, the rule and the value. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}

/**
 * Checks that options are an object, and have no names but the known ones.
 *
 * @param what - what error messages call the options.
 * @param Failure - the class of the errors.
 * @throws {OnnxError} Naming the option that is unknown.
 */
export function checkOptions(
  what: string,
  options: unknown,
  known: readonly string[],
  Failure: new (message: string) => Error = OnnxError,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new Failure(`${what}: options must be an object, but are ${describeArgument(options)}`)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Failure(`${what}: has no option "${unknown}"; it has ${known.join(', ')}`)
}

/** What an argument of a wrong type is called in error messages. */
export function describeArgument(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const name: unknown = value.constructor?.name
  return name === 'Array' ? `[${value}]` : `of class ${name ?? 'null'}`
}

/** An operator by its name in error messages and in the options with rules: `Conv`, `com.microsoft.Gelu`. */
export const qualifiedOperator = ({
  operator,
  domain,
}: Pick<Node, 'operator' | 'domain'>): string =>
  domain === '' ? operator : `${domain}.${operator}`

/** What a node is called in error messages: `node "conv1" (Conv)`; its first output stands for an empty name. */
export const describeNode = ({
  operator,
  domain,
  name,
  outputs,
}: Pick<Node, 'operator' | 'domain' | 'name' | 'outputs'>): string =>
  `node "${name || (outputs[0] ?? '')}" (${qualifiedOperator({ operator, domain })})`

/** What messages about an operator without rules add, if only ONNX Runtime's optimizer writes its domain. */
export const optimizedAdvice = ({ domain }: Pick<Node, 'domain'>): string =>
  domain.startsWith('com.microsoft')
    ? '; ONNX Runtime’s optimizer wrote it: use the file from before optimization'
    : ''
