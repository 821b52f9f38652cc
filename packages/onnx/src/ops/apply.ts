import { fold } from '../folding/fold.ts'
import type { Graph } from '../ir/graph.ts'
import { Operation } from '../ir/operation.ts'
import type { Inferred, Value } from '../ir/value.ts'
import type { Attribute } from '../model/model.ts'
import { infer } from '../shapes/infer.ts'

/** What may be told about an application of an operator beside its inputs. */
export interface Application {
  readonly attributes?: ReadonlyMap<string, Attribute>
  readonly domain?: string
  readonly name?: string
  /** The names of the outputs; by default one, named for the operator. */
  readonly outputs?: readonly string[]
  /** What the outputs are, for an operator that we know nothing about. */
  readonly declared?: readonly (Inferred | undefined)[]
  /** Leaves the operation to the runtime, even where its output can be known beforehand. */
  readonly unfolded?: boolean
}

/** Appends an operation: its shapes are inferred, and outputs that can be computed now become constants. */
export function applyOperator(
  graph: Graph,
  operator: string,
  inputs: readonly (Value | undefined)[],
  { attributes = new Map(), domain = '', name, outputs, declared, unfolded }: Application = {},
): Operation {
  const names = outputs ?? [graph.freshName(name || operator)]
  const operation = new Operation(graph, {
    operator,
    domain,
    name: name || names.find((output) => output !== '') || operator,
    inputs,
    attributes,
  })
  const inferred = infer(operation, declared)
  const known = unfolded ? undefined : fold(operation, inferred)
  if (known) {
    operation.give([{ type: known.type, shape: known.shape, known }], names)
    graph.fold(operation.output())
  } else {
    operation.give(inferred, names)
    graph.append(operation)
  }
  return operation
}
