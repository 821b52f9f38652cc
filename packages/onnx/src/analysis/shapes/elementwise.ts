import type { Operation } from '../../ir/graph.ts'
import { typeOf } from '../../model/data-type.ts'
import type { Shape } from '../../model/model.ts'
import { broadcast, type ShapeRule, sameShape } from './shape-rule.ts'

/** The broadcast shape of all inputs. */
const broadcastInputs = (operation: Operation): Shape =>
  operation.inputs.reduce<Shape>(
    (shape, input) => (input ? broadcast(operation, shape, input.shape) : shape),
    [],
  )

const broadcasting: ShapeRule = (operation) => [
  { type: operation.input(0).type, shape: broadcastInputs(operation) },
]

const comparison: ShapeRule = (operation) => [{ type: 'bool', shape: broadcastInputs(operation) }]

const where: ShapeRule = (operation) => [
  { type: operation.input(1).type, shape: broadcastInputs(operation) },
]

const cast: ShapeRule = (operation) => {
  const to = operation.int('to', 0)
  const type = typeOf(to)
  if (type === undefined) throw operation.error(`data type ${to} is not supported`)
  return [{ type, shape: operation.input(0).shape }]
}

const castLike: ShapeRule = (operation) => [
  { type: operation.input(1).type, shape: operation.input(0).shape },
]

/** The input's shape, and its type unless `dtype` names another. */
const likeInput: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const code = operation.int('dtype', 0)
  const other = typeOf(code)
  if (code !== 0 && other === undefined) throw operation.error(`data type ${code} is not supported`)
  return [{ type: other ?? type, shape }]
}

const dropout: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [
    { type, shape },
    { type: 'bool', shape },
  ]
}

/** Shapes of operators on single elements, or on elements of broadcast operands at the same index. */
export const elementwiseShapes: Readonly<Record<string, ShapeRule>> = {
  Abs: sameShape,
  Acos: sameShape,
  Acosh: sameShape,
  Asin: sameShape,
  Asinh: sameShape,
  Atan: sameShape,
  Atanh: sameShape,
  Bernoulli: likeInput,
  BitwiseNot: sameShape,
  Ceil: sameShape,
  Celu: sameShape,
  Clip: sameShape,
  Cos: sameShape,
  Cosh: sameShape,
  Elu: sameShape,
  Erf: sameShape,
  Exp: sameShape,
  Floor: sameShape,
  Gelu: sameShape,
  HardSigmoid: sameShape,
  HardSwish: sameShape,
  Identity: sameShape,
  LeakyRelu: sameShape,
  Log: sameShape,
  Mish: sameShape,
  Neg: sameShape,
  Not: sameShape,
  PRelu: sameShape,
  Reciprocal: sameShape,
  Relu: sameShape,
  Round: sameShape,
  Selu: sameShape,
  Shrink: sameShape,
  Sigmoid: sameShape,
  Sign: sameShape,
  Sin: sameShape,
  Sinh: sameShape,
  Softplus: sameShape,
  Softsign: sameShape,
  Sqrt: sameShape,
  Tan: sameShape,
  Tanh: sameShape,
  ThresholdedRelu: sameShape,
  Add: broadcasting,
  BitShift: broadcasting,
  BitwiseAnd: broadcasting,
  BitwiseOr: broadcasting,
  BitwiseXor: broadcasting,
  Div: broadcasting,
  Max: broadcasting,
  Mean: broadcasting,
  Min: broadcasting,
  Mod: broadcasting,
  Mul: broadcasting,
  Pow: broadcasting,
  Sub: broadcasting,
  Sum: broadcasting,
  And: comparison,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  IsInf: comparison,
  IsNaN: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Or: comparison,
  Xor: comparison,
  Where: where,
  Cast: cast,
  CastLike: castLike,
  RandomNormalLike: likeInput,
  RandomUniformLike: likeInput,
  EyeLike: likeInput,
  Dropout: dropout,
}
