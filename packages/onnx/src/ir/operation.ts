import { AttributeReader } from '../model/node.ts'
import type { Graph } from './graph.ts'
import type { Inferred, Value } from './value.ts'

/** One application of an operator in a graph under construction. */
export class Operation extends AttributeReader {
  readonly graph: Graph
  readonly operator: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly (Value | undefined)[]
  readonly #outputs: (Value | undefined)[] = []
  #inferred: readonly Inferred[] = []
  #declared = 0

  constructor(
    graph: Graph,
    parts: Pick<Operation, 'operator' | 'domain' | 'name' | 'inputs' | 'attributes'>,
  ) {
    super({ ...parts, outputs: [] })
    this.graph = graph
    this.operator = parts.operator
    this.domain = parts.domain
    this.name = parts.name
    this.inputs = parts.inputs
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

  /** An axis counted from the front, of a value with `rank` axes. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis
    if (!(counted >= 0 && counted < rank))
      throw this.error(`axis must be in [${-rank}, ${rank}), but is ${axis}`)
    return counted
  }
}
