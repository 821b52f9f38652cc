import type { InferredType, Operation } from '../ir/graph.ts'
import { elements } from '../model/data-type.ts'
import { elementCount, type Tensor } from '../model/model.ts'
import { foldingRules } from './folding-rules.ts'
import { constantTensor, shapeAxes } from './shapes/constant.ts'

/** Constants of up to this many elements are folded: shapes, axes, and masks of image sizes. */
const maxElements = 4096

/**
 * Computes the outputs of an operation if its inputs are small constants; returns `undefined` otherwise.
 * Exporters compute shapes by chains of operators, which become the constants that shape inference needs.
 */
export function foldConstants(
  operation: Operation,
  inferred: readonly InferredType[],
): readonly Tensor[] | undefined {
  if (operation.domain !== '') return undefined
  if (operation.operator === 'Constant') return [constantTensor(operation)]
  if (operation.operator === 'Shape' || operation.operator === 'Size') return foldShape(operation)
  const rule = foldingRules.get(operation.operator)
  if (!rule) return undefined
  const inputs: Tensor[] = []
  for (const input of operation.inputs) {
    if (input?.constant === undefined || input.constant.data.length > maxElements) return undefined
    inputs.push(input.constant)
  }
  const folded: Tensor[] = []
  for (const [i, { type, shape: declared }] of inferred.entries()) {
    const shape = declared.filter((size) => typeof size === 'number')
    if (shape.length < declared.length || elementCount(shape) > maxElements) return undefined
    const values = rule(inputs, shape, operation, i)
    const exact =
      type === 'float32' || values?.every((x) => typeof x === 'bigint' || Number.isSafeInteger(x))
    if (!values || !exact) return undefined
    folded.push({ type, shape, data: elements(type, values) })
  }
  return folded
}

/** The lengths of a Shape, or the number of elements of a Size. */
function foldShape(operation: Operation): readonly Tensor[] | undefined {
  const isSize = operation.operator === 'Size'
  const { shape } = operation.input(0)
  const lengths = isSize ? shape : shape.slice(...shapeAxes(operation))
  const numbers = lengths.filter((size) => typeof size === 'number')
  if (numbers.length < lengths.length) return undefined
  const values = isSize ? [elementCount(numbers)] : numbers
  return [{ type: 'int64', shape: isSize ? [] : [numbers.length], data: elements('int64', values) }]
}
