import { add, mul, sigmoid, softplus, square, sub, tanh } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x·t with t = tanh(ln(1 + eˣ));  ∂x = ∂y·(t + x·σ(x)·(1 − t²)) */
export const Mish: Rule = unary((x, dy) => {
  const t = tanh(softplus(x))
  return mul(dy, add(t, mul(mul(x, sigmoid(x)), sub(1, square(t)))))
})
