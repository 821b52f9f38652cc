import { apply, filled, reshape } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import type { Rule } from '../rule.ts'

/** y[p] = the largest x in the window of p;  every ∂y[p] is added to ∂x at the place it was found */
export const MaxPool: Rule = (operation, dy) => {
  if (operation.int('storage_order', 0) !== 0)
    throw operation.error('storage_order must be 0 to be differentiated')
  const shape = sizes(operation.input(0))
  const pooled = [count(sizes(dy))]
  const scattered = apply(
    'ScatterElements',
    [filled(dy.graph, [count(shape)]), reshape(operation.output(1), pooled), reshape(dy, pooled)],
    { axis: 0, reduction: 'add' },
  )
  return [reshape(scattered, shape)]
}
