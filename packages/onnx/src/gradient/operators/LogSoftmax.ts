import { exp, mul, reduceSum, sub } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x − ln Σeˣ;  ∂x = ∂y − eʸ·Σ∂y */
export const LogSoftmax: Rule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return sub(dy, mul(exp(y), reduceSum(dy, [axis])))
})
