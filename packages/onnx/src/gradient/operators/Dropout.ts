import { cast, div, mul, sub } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x·mask / (1 − ratio) in training, x otherwise;  ∂x = ∂y·mask / (1 − ratio) */
export const Dropout: Rule = unary((_x, dy, _y, operation) => {
  const [, ratio, training] = operation.inputs
  if (training === undefined || Number(training.known?.data[0]) === 0) return dy
  const kept = mul(dy, cast(operation.output(1), 'float32'))
  return ratio ? div(kept, sub(1, ratio)) : mul(kept, 2)
})
