import { describeNode, OnnxError } from './error.ts'
import type { Attribute, Node } from './model.ts'

/** Whether a node applies a standard operator: one of the same name in another domain does not count. */
export const isOperator = (
  { operator, domain }: Pick<Node, 'operator' | 'domain'>,
  name: string,
): boolean => domain === '' && operator === name

/** Returns names that are not in `taken`, to which it adds them. */
export function freshNames(taken: Set<string>): (stem: string) => string {
  const counts = new Map<string, number>()
  return (stem) => {
    let [name, count] = [stem, counts.get(stem) ?? 0]
    while (taken.has(name)) name = `${stem}_${++count}`
    counts.set(stem, count)
    taken.add(name)
    return name
  }
}

/**
 * Reads the attributes of a node, and checks their types. Every reader returns its default for an
 * absent attribute and throws an `OnnxError` for one of another type.
 */
export class AttributeReader {
  /** The attributes as they are in the model. */
  readonly attributes: ReadonlyMap<string, Attribute>
  /** What error messages call the node. */
  readonly description: string

  constructor(node: Pick<Node, 'operator' | 'domain' | 'name' | 'outputs' | 'attributes'>) {
    this.attributes = node.attributes
    this.description = describeNode(node)
  }

  /** An integer; `absent` if there is none. */
  int(name: string, absent: number): number {
    const value = this.attributes.get(name) ?? absent
    if (typeof value !== 'number') throw this.error(`attribute "${name}" must be an integer`)
    return value
  }

  /** A list of integers; `undefined` if absent. */
  ints(name: string): readonly number[] | undefined {
    const value = this.attributes.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || !('length' in value))
      throw this.error(`attribute "${name}" must be a list of integers`)
    return value
  }

  /** A float; `absent` if there is none. */
  float(name: string, absent: number): number {
    const value = this.attributes.get(name) ?? { float: absent }
    if (typeof value !== 'object' || !('float' in value))
      throw this.error(`attribute "${name}" must be a float`)
    return value.float
  }

  /** A string; `absent` if there is none. */
  string(name: string, absent: string): string {
    const value = this.attributes.get(name) ?? absent
    if (typeof value !== 'string') throw this.error(`attribute "${name}" must be a string`)
    return value
  }

  /** A list of strings; `undefined` if absent. */
  strings(name: string): readonly string[] | undefined {
    const value = this.attributes.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || !('strings' in value))
      throw this.error(`attribute "${name}" must be a list of strings`)
    return value.strings
  }

  /** A list of floats; `undefined` if absent. */
  floats(name: string): readonly number[] | undefined {
    const value = this.attributes.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || !('floats' in value))
      throw this.error(`attribute "${name}" must be a list of floats`)
    return value.floats
  }

  /** An error that begins with the node's name. */
  error(message: string): OnnxError {
    return new OnnxError(`${this.description}: ${message}`)
  }
}
