import type { DataType } from '../../model/data-type.ts'
import { convolutionWindow, outputSizes } from './convolution.ts'
import { matrixShapes } from './matrix.ts'
import { type ShapeRule, sameShape } from './shape-rule.ts'

/** The type of the zero point, or uint8 without one. */
const quantizedType = (zero: { readonly type: DataType } | undefined): DataType =>
  zero?.type ?? 'uint8'

const quantizeLinear: ShapeRule = (operation) => {
  const { shape } = operation.input(0)
  return [{ type: quantizedType(operation.inputs[2]), shape }]
}

const dequantizeLinear: ShapeRule = (operation) => {
  const { shape } = operation.input(0)
  return [{ type: operation.input(1).type, shape }]
}

/** The quantized values, their scale and their zero point. */
const dynamicQuantizeLinear: ShapeRule = (operation) => [
  { type: 'uint8', shape: operation.input(0).shape },
  { type: 'float32', shape: [] },
  { type: 'uint8', shape: [] },
]

const matMulInteger: ShapeRule = (operation) => {
  const [product] = matrixShapes.MatMul?.(operation) ?? sameShape(operation)
  return product ? [{ type: 'int32', shape: product.shape }] : []
}

const convInteger: ShapeRule = (operation) => {
  const [batch = 1] = operation.input(0).shape
  const [channels = 1] = operation.input(1).shape
  const space = outputSizes(operation, convolutionWindow(operation))
  return [{ type: 'int32', shape: [batch, channels, ...space] }]
}

/** Products with weights of a few bits, N × K, given as attributes. */
const matMulNBits: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: [...shape.slice(0, -1), operation.int('N', 1)] }]
}

/** Shapes of quantized operators. They have no gradients: a head trains behind them. */
export const quantizedShapes: Readonly<Record<string, ShapeRule>> = {
  ConvInteger: convInteger,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  MatMulInteger: matMulInteger,
  QuantizeLinear: quantizeLinear,
  'com.microsoft.DequantizeLinear': dequantizeLinear,
  'com.microsoft.MatMulNBits': matMulNBits,
  'com.microsoft.QuantizeLinear': quantizeLinear,
}
