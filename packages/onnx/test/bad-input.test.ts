import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { writeAttribute } from '../src/model/attribute.ts'
import { OnnxError } from '../src/model/error.ts'
import type { Attribute, Model, Tensor } from '../src/model/model.ts'
import { readModel } from '../src/model/read.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { file, fixture, type GraphFields } from './model-file.ts'

const mobile = fixture('mobile.onnx')
const value = (name: string, elemType: number, ...sizes: readonly (bigint | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: {
        dim: sizes.map((size) => ({
          value:
            typeof size === 'string'
              ? ({ case: 'dimParam', value: size } as const)
              : ({ case: 'dimValue', value: size } as const),
        })),
      },
    },
  },
})
const weight = { name: 'w', dataType: 1, dims: [2n], floatData: [1, 2] }

const files: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
  ['nothing', new Uint8Array(), 'model: must have a graph, but has none'],
  [
    'a truncated file',
    mobile.subarray(0, 4000),
    'model: 4000 bytes are not an ONNX file, or a truncated one',
  ],
  [
    'another format',
    new TextEncoder().encode('<!doctype html><p>404'),
    'model: 21 bytes are not an ONNX file, or a truncated one',
  ],
  [
    'a cycle',
    file({
      node: [
        { name: 'p', opType: 'Relu', input: ['b'], output: ['a'] },
        { name: 'q', opType: 'Relu', input: ['a'], output: ['b'] },
      ],
    }),
    'node "p" (Relu): is part of a cycle, or depends on one',
  ],
  [
    'a missing initializer',
    file({
      input: [value('x', 1, 2n)],
      node: [{ name: 'n', opType: 'Add', input: ['x', 'w'], output: ['y'] }],
    }),
    'node "n" (Add): reads "w", which no node computes',
  ],
  [
    'two nodes that compute one value',
    file({
      node: [
        { opType: 'Constant', output: ['y'] },
        { opType: 'Constant', output: ['y'] },
      ],
    }),
    'node "y" (Constant): computes "y", which node "y" (Constant) computes already',
  ],
  ['a missing output', file({ output: [value('y', 1)] }), 'model: no node computes its output "y"'],
  [
    'a weight with too few elements',
    file({ initializer: [{ ...weight, dims: [3n] }] }),
    'tensor "w": shape [3] needs 3 elements, but it holds 2',
  ],
  [
    'a weight of impossible size',
    file({ initializer: [{ ...weight, dims: [2n ** 40n, 2n ** 40n] }] }),
    'shape must have lengths >= 0 and less than 2^53 elements',
  ],
  [
    'a weight of negative size',
    file({ initializer: [{ ...weight, dims: [-2n] }] }),
    'shape must have lengths >= 0 and less than 2^53 elements, but is [-2]',
  ],
  [
    'a fraction of a float',
    file({ initializer: [{ name: 'w', dataType: 1, dims: [1n], rawData: new Uint8Array(5) }] }),
    'tensor "w": float32 takes 4 bytes, but it holds 5',
  ],
  [
    'an old opset',
    file({}, { opsetImport: [{ domain: '', version: 0n }] }),
    'model: opset must be at least 1, but is 0',
  ],
  [
    'no opset',
    file({ node: [{ opType: 'Relu' }] }, { opsetImport: [] }),
    'model: must import the standard operators',
  ],
  [
    'a subgraph',
    file({
      node: [
        {
          name: 'if',
          opType: 'Loop',
          output: ['y'],
          attribute: [{ name: 'body', type: 5, g: new Uint8Array(2) }],
        },
      ],
    }),
    'node "if" (Loop): its attribute "body" is a graph; subgraphs are not supported',
  ],
]

test.each(files)('reading %s names the fault', (_name, bytes, message) => {
  expect(() => readModel(bytes)).toThrow(message)
  expect(() => readModel(bytes)).toThrow(OnnxError)
})

const gradient = (graph: GraphFields) => () =>
  gradientModel(readModel(file(graph)), { loss: meanSquaredError() })
const mulNode = { name: 'n', opType: 'Mul', input: ['x', 'w'], output: ['y'] }

test('a model in float64 is rejected', () => {
  const w = { name: 'w', dataType: 11, dims: [2n], doubleData: [1, 2] }
  const graph = {
    input: [value('x', 11, 2n)],
    initializer: [w],
    node: [mulNode],
    output: [value('y', 11, 2n)],
  }
  expect(gradient(graph)).toThrow('loss: output "y" must be float32, but is float64')
})

test('dimensions without a size are named', () => {
  const graph = { initializer: [weight], node: [mulNode], output: [value('y', 1)] }
  expect(gradient({ ...graph, input: [value('x', 1, 'batch', 2n)] })).toThrow(
    'input "x": dimension "batch" must have a size in "dimensions", but has none',
  )
  expect(
    gradient({ ...graph, input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }] }),
  ).toThrow('input "x": must have a shape in "shapes", as the model declares none')
  const model = readModel(mobile)
  const options = { loss: crossEntropy(), dimensions: { batch: 0 } }
  expect(() => gradientModel(model, options)).toThrow(
    'input "image": a dimension must be a positive integer, but is 0',
  )
})

test('a shape that depends on an input is named', () => {
  expect(
    gradient({
      input: [value('x', 1, 2n), value('s', 7, 1n)],
      initializer: [weight],
      node: [mulNode, { name: 'r', opType: 'Reshape', input: ['y', 's'], output: ['z'] }],
      output: [value('z', 1)],
    }),
  ).toThrow('value "s": must be a constant, but is not')
})

test('an operator without a shape rule is named', () => {
  const twist = { ...mulNode, domain: 'com.example', opType: 'Twist' }
  expect(
    gradient({
      input: [value('x', 1, 2n)],
      initializer: [weight],
      node: [twist, { name: 'r', opType: 'Relu', input: ['y'], output: ['z'] }],
      output: [value('z', 1)],
    }),
  ).toThrow(
    'node "n" (com.example.Twist): the operator has no shape rule, and the model does not declare the shapes of its outputs',
  )
})

test('shapes that do not broadcast are named', () => {
  const graph = {
    input: [value('x', 1, 3n)],
    initializer: [weight],
    node: [mulNode],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow('node "n" (Mul): shapes [3] and [2] must broadcast, but do not')
})

test('a model without parameters is rejected', () => {
  const graph = {
    input: [value('x', 1, 2n)],
    node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow(
    'model: the loss must depend on a parameter, but the model has none: of its 0 initializers none is a float32 tensor with an axis that training may change',
  )
  const doubles = { name: 'd', dataType: 11, dims: [2n], doubleData: [1, 2] }
  const scalar = { name: 's', dataType: 1, floatData: [2] }
  expect(gradient({ ...graph, initializer: [doubles, scalar] })).toThrow(
    'of its 2 initializers none is a float32 tensor with an axis that training may change (1 of float64, 1 scalar)',
  )
  expect(gradient({ ...graph, initializer: [weight] })).toThrow(
    'model: the loss must depend on a parameter, but depends on none of its 1: "w"',
  )
})

test('a dilated pooling with automatic padding is rejected, as ONNX Runtime pads it otherwise', () => {
  const pool = {
    name: 'n',
    opType: 'AveragePool',
    input: ['w'],
    output: ['y'],
    attribute: [
      writeAttribute('kernel_shape', [2]),
      writeAttribute('dilations', [2]),
      writeAttribute('auto_pad', 'SAME_LOWER'),
    ],
  }
  const image = { name: 'w', dataType: 1, dims: [1n, 1n, 4n], floatData: [1, 2, 3, 4] }
  expect(gradient({ initializer: [image], node: [pool], output: [value('y', 1)] })).toThrow(
    'node "n" (AveragePool): auto_pad "SAME_LOWER" with dilations [2] is not supported, as runtimes differ; write pads instead',
  )
})

test('an attribute of another type is named', () => {
  const statistics = ['scale', 'bias', 'mean', 'var'].map((name) => ({ ...weight, name }))
  const attribute = [writeAttribute('epsilon', 1)]
  const graph = {
    input: [value('x', 1, 3n, 2n)],
    initializer: statistics,
    node: [
      {
        name: 'n',
        opType: 'BatchNormalization',
        input: ['x', ...statistics.map(({ name }) => name)],
        output: ['y'],
        attribute,
      },
    ],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow(
    'node "n" (BatchNormalization): attribute "epsilon" must be a float',
  )
})

const floats = (...shape: readonly number[]): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1)
  return { type: 'float32', shape, data: new Float32Array(length).fill(1) }
}
const integers = (...values: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
})

/** A model of one node, whose inputs are initializers; null is an absent input. Its output is multiplied by a parameter. */
function oneNode(
  operator: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Model {
  const names = inputs.map((input, i) => (input ? `i${i}` : ''))
  const tensors = inputs.flatMap((tensor, i): [string, Tensor][] =>
    tensor ? [[`i${i}`, tensor]] : [],
  )
  const node = { operator, domain: '', name: 'n', inputs: names, outputs: ['y'] }
  const scaled = { operator: 'Mul', domain: '', name: 's', inputs: ['y', 'p'], outputs: ['z'] }
  return {
    name: 'one node',
    inputs: [],
    outputs: [{ name: 'z', type: 'float32', shape: undefined }],
    nodes: [
      { ...node, attributes: new Map(Object.entries(attributes)) },
      { ...scaled, attributes: new Map() },
    ],
    initializers: new Map([...tensors, ['p', floats(1)]]),
    values: new Map(),
    domains: new Map(),
  }
}

const image = floats(1, 4, 6, 6)
const kernel = floats(2, 4, 3, 3)
const outOfRange: readonly (readonly [what: string, model: Model, message: string | RegExp])[] = [
  [
    'ConstantOfShape of negative lengths',
    oneNode('ConstantOfShape', [integers(2, -3)]),
    'node "n" (ConstantOfShape): lengths must be integers >= 0, but its output has [2,-3]',
  ],
  [
    'ConstantOfShape of two negative lengths',
    oneNode('ConstantOfShape', [integers(-2, -3)]),
    'lengths must be integers >= 0, but its output has [-2,-3]',
  ],
  [
    'ConstantOfShape of a huge shape',
    oneNode('ConstantOfShape', [integers(2 ** 20, 2 ** 20)]),
    'an output must have less than 2147483648 elements, but has [1048576,1048576]',
  ],
  [
    'Expand to a huge shape',
    oneNode('Expand', [floats(1), integers(2 ** 31)]),
    'an output must have less than 2147483648 elements, but has [2147483648]',
  ],
  [
    'Expand of fractions',
    oneNode('Expand', [floats(1), { type: 'float64', shape: [1], data: Float64Array.of(1.5) }]),
    'input 1 must hold integers, but holds 1.5',
  ],
  [
    'Tile with too few repeats',
    oneNode('Tile', [image, integers(2)]),
    'repeats must have 4 entries, but has 1',
  ],
  [
    'Tile to a huge shape',
    oneNode('Tile', [image, integers(1, 1, 2 ** 16, 2 ** 16)]),
    'an output must have less than 2147483648 elements',
  ],
  [
    'a huge Range',
    oneNode('Range', [floats(), { ...floats(), data: Float32Array.of(2 ** 40) }, floats()]),
    'an output must have less than 2147483648 elements, but has [1099511627775]',
  ],
  [
    'Pad to a negative length',
    oneNode('Pad', [floats(3), integers(-2, -2)]),
    'lengths must be integers >= 0, but its output has [-1]',
  ],
  [
    'Pad with too few amounts',
    oneNode('Pad', [image, integers(1, 1)]),
    'pads must have 8 entries, but has 2',
  ],
  [
    'Resize to negative sizes',
    oneNode('Resize', [image, null, null, integers(1, 4, -6, 6)]),
    'node "n" (Resize): sizes or scales must be 4 numbers > 0, but are [1,4,-6,6]',
  ],
  [
    'Resize to huge sizes',
    oneNode('Resize', [image, null, null, integers(1, 4, 6, 2 ** 24)]),
    /needs a constant of \[16777216,6\], which must have at most \d+ elements in this model/,
  ],
  [
    'Resize in an unknown mode',
    oneNode('Resize', [image, null, null, integers(1, 4, 12, 12)], { mode: 'wild' }),
    'mode must be "nearest", "linear" or "cubic", but is "wild"',
  ],
  [
    'AveragePool with a negative kernel',
    oneNode('AveragePool', [image], { kernel_shape: [-2, 2] }),
    'node "n" (AveragePool): kernel must hold integers >= 1, but is [-2,2]',
  ],
  [
    'a stride of 0',
    oneNode('Conv', [image, kernel], { strides: [0, 1] }),
    'node "n" (Conv): strides must hold integers >= 1, but is [0,1]',
  ],
  [
    'a dilation of 0',
    oneNode('MaxPool', [image], { kernel_shape: [2, 2], dilations: [1, 0] }),
    'dilations must hold integers >= 1, but is [1,0]',
  ],
  [
    'a pooling window far beyond the image',
    oneNode('AveragePool', [image], {
      kernel_shape: [1, 2 ** 25],
      pads: [0, 2 ** 25, 0, 2 ** 25],
    }),
    /which must have at most \d+ elements in this model/,
  ],
  [
    'groups that do not divide the outputs',
    oneNode('Conv', [floats(1, 3, 6, 6), floats(4, 1, 3, 3)], { group: 3 }),
    'group must be a divisor of 4, but is 3',
  ],
  [
    'groups that do not divide the channels',
    oneNode('GroupNormalization', [image, floats(4), floats(4)], { num_groups: 3 }),
    'node "n" (GroupNormalization): num_groups must be a divisor of 4, but is 3',
  ],
  [
    'a Transpose by no permutation',
    oneNode('Transpose', [floats(2, 3)], { perm: [0, 0] }),
    'perm must be a permutation of [0,1], but is [0,0]',
  ],
  [
    'Flatten at an axis that does not exist',
    oneNode('Flatten', [image], { axis: 5 }),
    'axis must be in [-4, 4], but is 5',
  ],
  [
    'Squeeze of a long axis',
    oneNode('Squeeze', [floats(2, 1), integers(0)]),
    'axis 0 must have length 1 to be removed, but has 2',
  ],
  [
    'Unsqueeze of one axis twice',
    oneNode('Unsqueeze', [floats(2), integers(0, 0)]),
    'axes must be different, but are [0,0]',
  ],
  [
    'Split lengths that do not add up',
    oneNode('Split', [floats(5), integers(2, 2)]),
    'lengths must add up to 5, but are [2,2]',
  ],
  [
    'Slice with a step of 0',
    oneNode('Slice', [floats(5), integers(0), integers(5), integers(0), integers(0)]),
    'a step must not be 0',
  ],
  [
    'Slice with missing ends',
    oneNode('Slice', [floats(5, 5), integers(0, 0), integers(5)]),
    'starts, ends, axes and steps must have equally many entries',
  ],
  [
    'Gather of an index out of range',
    oneNode('Gather', [floats(5), integers(7)]),
    'indices must be in [-5, 5), but one is 7',
  ],
  [
    'a product of a scalar',
    oneNode('MatMul', [floats(), floats(2, 2)]),
    'must multiply values with axes, but multiplies [] and [2,2]',
  ],
  [
    'Gemm of an image',
    oneNode('Gemm', [image, floats(6, 6)]),
    'must multiply matrices, but multiplies [1,4,6,6] and [6,6]',
  ],
  [
    'a Reshape to more axes than any runtime has',
    oneNode('Reshape', [floats(1), integers(...new Array(200).fill(1))]),
    'must have an element for each of at most 64 axes, but has 200',
  ],
]

test.each(outOfRange)(
  '%s is refused by name, before anything is built',
  (_what, model, message) => {
    const differentiate = () => gradientModel(model, { loss: meanSquaredError() })
    expect(differentiate).toThrow(OnnxError)
    expect(differentiate).toThrow(message)
  },
)

test('a name that runtimes would cut is refused', () => {
  const graph = {
    input: [value('x', 1, 2n)],
    initializer: [{ ...weight, name: 'w\0v' }],
    node: [{ opType: 'Mul', input: ['x', 'w\0v'], output: ['y'] }],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow('value "w\\u0000v": name must not contain U+0000')
})

test('a shape of an input gives its symbolic dimensions their sizes', () => {
  const model = readModel(
    file({
      input: [value('x', 1, 'batch', 2n)],
      initializer: [weight],
      node: [
        { opType: 'Twist', domain: 'com.example', input: ['x'], output: ['t'] },
        { opType: 'Mul', input: ['t', 'w'], output: ['y'] },
      ],
      output: [value('y', 1, 'batch', 2n)],
      valueInfo: [value('t', 1, 'batch', 2n)],
    }),
  )
  const { parameters } = gradientModel(model, { loss: meanSquaredError(), shapes: { x: [3, 2] } })
  expect([...parameters.keys()]).toEqual(['w'])
})
