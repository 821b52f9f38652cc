import type { Value } from '../ir/value.ts'
import { add, cast, div, equal, mul, sumTo } from '../ops/operations.ts'
import type { Rule } from './rule.ts'

/** Where x equals the extremum y: 1, elsewhere 0. */
export const chosen = (x: Value, y: Value): Value => cast(equal(x, y), 'float32')

/** y = the largest, or smallest, of x₁ … xₙ;  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
export const extremumOfInputs: Rule = (operation, dy) => {
  const inputs = operation.inputs.map((_, i) => operation.input(i))
  const masks = inputs.map((x) => chosen(x, operation.output()))
  const share = div(
    dy,
    masks.reduce((sum, mask) => add(sum, mask)),
  )
  return inputs.map((x, i) => sumTo(mul(share, masks[i] ?? 0), x.shape))
}
