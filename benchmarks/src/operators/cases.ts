import type { Attribute, DataType } from '@diffgrad/onnx'

/** One operator on inputs of given shapes. */
export interface OperatorCase {
  readonly name: string
  readonly operator: string
  readonly domain?: string
  /** Shapes of random float32 inputs. */
  readonly inputs: readonly (readonly number[])[]
  /** Constant inputs after the others, such as indices and axes. */
  readonly constants?: readonly (readonly number[])[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Types of outputs; one float32 by default. */
  readonly outputs?: readonly DataType[]
}

const blocked = 'com.microsoft.nchwc'
const [images, pixels] = [[32, 64, 32, 32], 1024] as const
const perChannel = [1, 64, 1, 1]
const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i)
const elementwise = (operator: string, inputs: OperatorCase['inputs'], name = operator) => ({
  name,
  operator,
  inputs,
})
const transpose = (name: string, shape: readonly number[], perm: readonly number[]) => ({
  name: `Transpose ${name}`,
  operator: 'Transpose',
  inputs: [shape],
  attributes: { perm },
})

/** The operators that train steps of convolutional networks are built from, on 2²¹ elements. */
export const operatorCases: readonly OperatorCase[] = [
  transpose('of a matrix [32, 65536]', [32, 64 * pixels], [1, 0]),
  transpose('of a matrix [65536, 32]', [64 * pixels, 32], [1, 0]),
  transpose('of a tall matrix [131072, 9]', [131072, 9], [1, 0]),
  transpose('of first axes [32, 64, 1024]', [32, 64, pixels], [1, 0, 2]),
  transpose('of many small matrices [8192, 16, 9]', [8192, 16, 9], [0, 2, 1]),
  transpose('of five axes [32, 16, 32, 16, 9]', [32, 16, 32, 16, 9], [0, 2, 4, 3, 1]),
  {
    name: 'Gather of rows of 16',
    operator: 'Gather',
    inputs: [[131072, 16]],
    constants: [range(131072).toReversed()],
    attributes: { axis: 0 },
  },
  { name: 'ReorderInput', operator: 'ReorderInput', domain: blocked, inputs: [images] },
  {
    name: 'ReorderOutput',
    operator: 'ReorderOutput',
    domain: blocked,
    inputs: [images],
    attributes: { channels: 64 },
  },
  elementwise('Mul', [images, images]),
  elementwise('Mul', [images, perChannel], 'Mul per channel'),
  elementwise('Add', [images, images]),
  elementwise('Relu', [images]),
  elementwise('Sign', [images]),
  { ...elementwise('Less', [images, images]), outputs: ['bool'] },
  { ...elementwise('Equal', [images, images]), outputs: ['bool'] },
  {
    name: 'ReduceSum to channels',
    operator: 'ReduceSum',
    inputs: [images],
    constants: [[0, 2, 3]],
    attributes: { keepdims: 0 },
  },
  {
    name: 'BatchNormalization, inference',
    operator: 'BatchNormalization',
    inputs: [images, [64], [64], [64], [64]],
  },
  {
    name: 'BatchNormalization, training',
    operator: 'BatchNormalization',
    inputs: [images, [64], [64], [64], [64]],
    attributes: { training_mode: 1, momentum: { float: 0 } },
    outputs: ['float32', 'float32', 'float32'],
  },
  {
    name: 'MaxPool 3×3, stride 2, with indices',
    operator: 'MaxPool',
    inputs: [images],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    outputs: ['float32', 'int64'],
  },
  {
    name: 'MaxPool 3×3, stride 2',
    operator: 'MaxPool',
    inputs: [images],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    name: 'Expand by repeated pixels 2×2',
    operator: 'Expand',
    inputs: [[32, 64, 16, 1, 16, 1]],
    constants: [[32, 64, 16, 2, 16, 2]],
  },
  {
    name: 'ConvTranspose 2×2, depthwise',
    operator: 'ConvTranspose',
    inputs: [
      [32, 64, 16, 16],
      [64, 1, 2, 2],
    ],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], group: 64 },
  },
  {
    name: 'Conv 3×3, 64 → 64 channels, 16 × 16',
    operator: 'Conv',
    inputs: [
      [32, 64, 16, 16],
      [64, 64, 3, 3],
    ],
    attributes: { pads: [1, 1, 1, 1] },
  },
  {
    name: 'Conv 3×3, 64 → 64 channels, 16 × 16, blocked',
    operator: 'Conv',
    domain: blocked,
    inputs: [
      [32, 64, 16, 16],
      [64, 64, 3, 3],
    ],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] },
  },
  {
    name: 'Gemm [576, 8192] · [64, 8192]ᵀ',
    operator: 'Gemm',
    inputs: [
      [576, 8192],
      [64, 8192],
    ],
    attributes: { transB: 1 },
  },
  {
    name: 'Gemm [64, 8192] · [576, 8192]ᵀ',
    operator: 'Gemm',
    inputs: [
      [64, 8192],
      [576, 8192],
    ],
    attributes: { transB: 1 },
  },
]
