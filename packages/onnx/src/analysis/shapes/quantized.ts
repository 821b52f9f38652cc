import type { Operation } from '../../ir/graph.ts'
import { axisSize } from '../../ir/value.ts'
import { type DataType, typeOf } from '../../model/data-type.ts'
import { convolutionWindow, outputSizes } from './convolution.ts'
import { matrixShapes } from './matrix.ts'
import { type ShapeRule, sameShape } from './shape-rule.ts'

/** The type of the zero point; without one, that of `output_dtype`, or uint8. */
const quantizeLinear: ShapeRule = (operation) => {
  const { shape } = operation.input(0)
  const code = operation.int('output_dtype', 0)
  const named = code === 0 ? 'uint8' : typeOf(code)
  if (named === undefined) throw operation.error(`data type ${code} is not supported`)
  return [{ type: operation.inputs[2]?.type ?? named, shape }]
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

/** A matrix product with a result of another type. */
const product =
  (type: (operation: Operation) => DataType): ShapeRule =>
  (operation) =>
    (matrixShapes.MatMul?.(operation) ?? sameShape(operation)).map(({ shape }) => ({
      type: type(operation),
      shape,
    }))

const convInteger: ShapeRule = (operation) => {
  const [batch = 1] = operation.input(0).shape
  const [channels = 1] = operation.input(1).shape
  const space = outputSizes(operation, convolutionWindow(operation))
  return [{ type: 'int32', shape: [batch, channels, ...space] }]
}

/** Rows of a table whose elements are packed in bytes along the last axis. */
const gatherBlockQuantized: ShapeRule = (operation) => {
  const [table, indices, scales] = [0, 1, 2].map((i) => operation.input(i))
  if (!table || !indices || !scales) return []
  const axis = operation.axis(operation.int('gather_axis', 0), table.shape.length)
  const perByte = table.type === 'uint8' ? 8 / operation.int('bits', 4) : 1
  const unpacked = [...table.shape.slice(0, -1), axisSize(table, -1) * perByte]
  return [{ type: scales.type, shape: unpacked.toSpliced(axis, 1, ...indices.shape) }]
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
  MatMulInteger: product(() => 'int32'),
  QuantizeLinear: quantizeLinear,
  'com.microsoft.DequantizeLinear': dequantizeLinear,
  'com.microsoft.DynamicQuantizeMatMul': product(() => 'float32'),
  'com.microsoft.GatherBlockQuantized': gatherBlockQuantized,
  'com.microsoft.MatMulIntegerToFloat': product(() => 'float32'),
  'com.microsoft.MatMulNBits': matMulNBits,
  'com.microsoft.QuantizeLinear': quantizeLinear,
}
