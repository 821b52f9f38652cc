import type { Operation } from '../ir/operation.ts'
import { typeOf } from '../model/data-type.ts'
import type { Shape } from '../model/model.ts'
import { broadcast, type Inference, same } from './inference.ts'

/** The shape of all inputs together. */
const together = (operation: Operation): Shape =>
  operation.inputs.reduce<Shape>(
    (shape, input) => (input ? broadcast(operation, shape, input.shape) : shape),
    [],
  )

const joined: Inference = (operation) => [
  { type: operation.input(0).type, shape: together(operation) },
]

const comparison: Inference = (operation) => [{ type: 'bool', shape: together(operation) }]

const chosen: Inference = (operation) => [
  { type: operation.input(1).type, shape: together(operation) },
]

const cast: Inference = (operation) => {
  const to = operation.int('to', 0)
  const type = typeOf(to)
  if (type === undefined) throw operation.error(`type ${to} is not computed with`)
  return [{ type, shape: operation.input(0).shape }]
}

const dropout: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [
    { type, shape },
    { type: 'bool', shape },
  ]
}

/** Operators that work on every element alone, or on elements that lie at the same place. */
export const elementwise: Readonly<Record<string, Inference>> = {
  Abs: same,
  Ceil: same,
  Clip: same,
  Cos: same,
  Elu: same,
  Erf: same,
  Exp: same,
  Floor: same,
  Gelu: same,
  HardSigmoid: same,
  HardSwish: same,
  Identity: same,
  LeakyRelu: same,
  Log: same,
  LogSoftmax: same,
  Mish: same,
  Neg: same,
  Not: same,
  PRelu: same,
  Reciprocal: same,
  Relu: same,
  Round: same,
  Sigmoid: same,
  Sign: same,
  Sin: same,
  Softmax: same,
  Softplus: same,
  Sqrt: same,
  Tanh: same,
  Add: joined,
  Div: joined,
  Max: joined,
  Min: joined,
  Mod: joined,
  Mul: joined,
  Pow: joined,
  Sub: joined,
  Sum: joined,
  And: comparison,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Or: comparison,
  Xor: comparison,
  Where: chosen,
  Cast: cast,
  Dropout: dropout,
}
