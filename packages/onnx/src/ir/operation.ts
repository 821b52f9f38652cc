import { OnnxError } from '../error.ts'
import type { Attribute } from '../model/model.ts'
import type { Graph } from './graph.ts'
import type { Inferred, Value } from './value.ts'

/** One application of an operator in a graph under construction. */
export class Operation {
  readonly graph: Graph
  readonly operator: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly #outputs: (Value | undefined)[] = []
  #inferred: readonly Inferred[] = []
  #declared = 0

  constructor(
    graph: Graph,
    parts: Pick<Operation, 'operator' | 'domain' | 'name' | 'inputs' | 'attributes'>,
  ) {
    this.graph = graph
    this.operator = parts.operator
    this.domain = parts.domain
    this.name = parts.name
    this.inputs = parts.inputs
    this.attributes = parts.attributes
  }

  /** What error messages call it. */
  get description(): string {
    return `node "${this.name}" (${this.domain && `${this.domain}.`}${this.operator})`
  }

  /** The outputs that are given so far. */
  get outputs(): readonly (Value | undefined)[] {
    return this.#outputs
  }

  /** How many outputs it was written with; more may be given when a gradient needs them. */
  get declared(): number {
    return this.#declared
  }

  /** Settles what the outputs will be, and names those that are given. An empty name gives none. */
  give(inferred: readonly Inferred[], names: readonly string[]): void {
    this.#inferred = inferred
    this.#declared = names.length
    for (const [i, name] of names.entries()) if (name !== '') this.#give(i, name)
  }

  /** The output at a place; an optional one that was not given until now is given from now on. */
  output(place = 0): Value {
    return this.#outputs[place] ?? this.#give(place, this.graph.freshName(`${this.name}/${place}`))
  }

  #give(place: number, name: string): Value {
    const inferred = this.#inferred[place]
    if (inferred === undefined) throw this.error(`has no output ${place}`)
    const value = { ...inferred, graph: this.graph, name: this.graph.claim(name) }
    this.#outputs[place] = value
    return value
  }

  /** The input at a place, where the operator needs one. */
  input(place: number): Value {
    const value = this.inputs[place]
    if (value === undefined) throw this.error(`must have an input ${place}, but has none`)
    return value
  }

  /** An attribute that is an integer. */
  int(name: string, otherwise: number): number {
    const value = this.attributes.get(name) ?? otherwise
    if (typeof value !== 'number') throw this.error(`attribute "${name}" must be an integer`)
    return value
  }

  /** An attribute that is a list of integers; `undefined` where it is absent. */
  ints(name: string): readonly number[] | undefined {
    const value = this.attributes.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || !('length' in value))
      throw this.error(`attribute "${name}" must be a list of integers`)
    return value
  }

  /** An attribute that is a float. */
  float(name: string, otherwise: number): number {
    const value = this.attributes.get(name) ?? { float: otherwise }
    if (typeof value !== 'object' || !('float' in value))
      throw this.error(`attribute "${name}" must be a float`)
    return value.float
  }

  /** An attribute that is a string. */
  text(name: string, otherwise: string): string {
    const value = this.attributes.get(name) ?? otherwise
    if (typeof value !== 'string') throw this.error(`attribute "${name}" must be a string`)
    return value
  }

  /** An error that begins with the node's name. */
  error(rule: string): OnnxError {
    return new OnnxError(`${this.description}: ${rule}`)
  }

  /** An axis counted from the front, of a value with `rank` axes. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis
    if (!(counted >= 0 && counted < rank))
      throw this.error(`axis must be in [${-rank}, ${rank}), but is ${axis}`)
    return counted
  }
}
