import { OnnxError } from '../error.ts'
import type { Value } from '../ir/value.ts'

/**
 * Appends to a graph what a model's outputs cost: a scalar, computed from them and from targets that
 * it declares as inputs.
 */
export type Loss = (outputs: ReadonlyMap<string, Value>) => Value

/** The output that a loss is asked to judge: by its name, or the only one. */
export function judged(outputs: ReadonlyMap<string, Value>, name: string | undefined): Value {
  const [first] = outputs.keys()
  const chosen = outputs.get(name ?? first ?? '')
  if (chosen === undefined || (name === undefined && outputs.size > 1))
    throw new OnnxError(
      `loss: must name one of the outputs ${[...outputs.keys()].join(', ')}, but names ${name ?? 'none'}`,
    )
  if (chosen.type !== 'float32')
    throw new OnnxError(`loss: output "${chosen.name}" must be float32, but is ${chosen.type}`)
  return chosen
}
