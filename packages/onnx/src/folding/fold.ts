import type { Operation } from '../ir/operation.ts'
import type { Inferred } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import { elementCount, type Tensor } from '../model/model.ts'
import { constantTensor, shownAxes } from '../shapes/source.ts'
import { elementwise } from './elementwise.ts'
import type { Folding } from './folding.ts'
import { selection } from './selection.ts'

/** Enough for shapes, axes and masks of shapes; larger values are left to the runtime. */
const mostElements = 1024

const foldings = new Map<string, Folding>(Object.entries({ ...elementwise, ...selection }))

/**
 * Computes an operation at once if its inputs are known and small. Exporters compute shapes by chains
 * of operators; here they become the constants that shape inference needs.
 */
export function fold(operation: Operation, inferred: readonly Inferred[]): Tensor | undefined {
  const [output] = inferred
  if (operation.domain !== '' || output === undefined) return undefined
  if (operation.operator === 'Constant') return constantTensor(operation)
  if (operation.operator === 'Shape') return foldShape(operation)
  const shape = output.shape.filter((size) => typeof size === 'number')
  const folding = foldings.get(operation.operator)
  if (!folding || shape.length < output.shape.length || elementCount(shape) > mostElements)
    return undefined
  const inputs: Tensor[] = []
  for (const input of operation.inputs) {
    if (input?.known === undefined || input.known.data.length > mostElements) return undefined
    inputs.push(input.known)
  }
  const { type } = output
  const values = folding(inputs, shape, operation)
  const exact =
    type === 'float32' || values.every((x) => typeof x === 'bigint' || Number.isSafeInteger(x))
  return exact ? { type, shape, data: elements(type, values) } : undefined
}

function foldShape(operation: Operation): Tensor | undefined {
  const shown = operation.input(0).shape.slice(...shownAxes(operation))
  const numbers = shown.filter((size) => typeof size === 'number')
  return numbers.length < shown.length
    ? undefined
    : { type: 'int64', shape: [numbers.length], data: elements('int64', numbers) }
}
