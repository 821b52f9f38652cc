import { mul, reduceSum, sub } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = eˣ / Σeˣ;  ∂x = y·(∂y − Σ ∂y·y) */
export const Softmax: Rule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return mul(y, sub(dy, reduceSum(mul(dy, y), [axis])))
})
