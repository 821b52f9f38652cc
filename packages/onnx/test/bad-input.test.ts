import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { OnnxError } from '../src/model/error.ts'
import { readModel } from '../src/model/read.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { file, fixture, type GraphParts } from './model-file.ts'

const whole = fixture('mobile.onnx')
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
    whole.subarray(0, 4000),
    'model: 4000 bytes are not an ONNX file, or not a whole one',
  ],
  [
    'no protobuf',
    new TextEncoder().encode('<!doctype html><p>404'),
    'model: 21 bytes are not an ONNX file, or not a whole one',
  ],
  [
    'a cycle',
    file({
      node: [
        { name: 'p', opType: 'Relu', input: ['b'], output: ['a'] },
        { name: 'q', opType: 'Relu', input: ['a'], output: ['b'] },
      ],
    }),
    'node "p" (Relu): is part of a cycle, or waits for one',
  ],
  [
    'a missing initializer',
    file({
      input: [value('x', 1, 2n)],
      node: [{ name: 'n', opType: 'Add', input: ['x', 'w'], output: ['y'] }],
    }),
    'node "n" (Add): reads "w", which nothing makes',
  ],
  [
    'two makers of one value',
    file({
      node: [
        { opType: 'Constant', output: ['y'] },
        { opType: 'Constant', output: ['y'] },
      ],
    }),
    'node "y" (Constant): makes "y", which node "y" (Constant) makes already',
  ],
  ['a missing output', file({ output: [value('y', 1)] }), 'model: nothing makes its output "y"'],
  [
    'a weight with too few elements',
    file({ initializer: [{ ...weight, dims: [3n] }] }),
    'tensor "w": shape [3] needs 3 elements, but it holds 2',
  ],
  [
    'a weight of impossible size',
    file({ initializer: [{ ...weight, dims: [2n ** 40n, 2n ** 40n] }] }),
    'its shape must be countable',
  ],
  [
    'a weight of negative size',
    file({ initializer: [{ ...weight, dims: [-2n] }] }),
    'its shape must be countable, but is [-2]',
  ],
  [
    'half a float',
    file({ initializer: [{ name: 'w', dataType: 1, dims: [1n], rawData: new Uint8Array(5) }] }),
    'tensor "w": float32 takes 4 bytes, but it holds 5',
  ],
  [
    'an old opset',
    file({}, { opsetImport: [{ domain: '', version: 12n }] }),
    'model: opset must be in [13, 21], but is 12',
  ],
  ['no opset', file({}, { opsetImport: [] }), 'model: must import the standard operators'],
  [
    'functions',
    file({}, { functions: [new Uint8Array(2)] }),
    'model: has 1 functions; they are not supported',
  ],
  [
    'a subgraph',
    file({
      node: [
        {
          name: 'if',
          opType: 'If',
          output: ['y'],
          attribute: [{ name: 'then_branch', type: 5, g: new Uint8Array(2) }],
        },
      ],
    }),
    'node "if" (If): its attribute "then_branch" is a graph; subgraphs are not supported',
  ],
]

test.each(files)('reading %s says what is wrong', (_name, bytes, message) => {
  expect(() => readModel(bytes)).toThrow(message)
  expect(() => readModel(bytes)).toThrow(OnnxError)
})

const gradient = (graph: GraphParts) => () =>
  gradientModel(readModel(file(graph)), { loss: meanSquaredError() })
const times = { name: 'n', opType: 'Mul', input: ['x', 'w'], output: ['y'] }

test('a model in float64 is refused', () => {
  const w = { name: 'w', dataType: 11, dims: [2n], doubleData: [1, 2] }
  const graph = {
    input: [value('x', 11, 2n)],
    initializer: [w],
    node: [times],
    output: [value('y', 11, 2n)],
  }
  expect(gradient(graph)).toThrow('loss: output "y" must be float32, but is float64')
})

test('sizes that stay open are named', () => {
  const graph = { initializer: [weight], node: [times], output: [value('y', 1)] }
  expect(gradient({ ...graph, input: [value('x', 1, 'batch', 2n)] })).toThrow(
    'input "x": the model leaves dimension "batch" open; it must be given',
  )
  expect(
    gradient({ ...graph, input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }] }),
  ).toThrow('input "x": the model leaves its shape open; it must be given')
  const model = readModel(whole)
  const options = { loss: crossEntropy(), dimensions: { batch: 0 } }
  expect(() => gradientModel(model, options)).toThrow(
    'input "image": a dimension must be a positive integer, but is 0',
  )
})

test('a shape that depends on the input cannot be resolved, and is named', () => {
  expect(
    gradient({
      input: [value('x', 1, 2n), value('s', 7, 1n)],
      initializer: [weight],
      node: [times, { name: 'r', opType: 'Reshape', input: ['y', 's'], output: ['z'] }],
      output: [value('z', 1)],
    }),
  ).toThrow('value "s": must be known before the model runs, but is not')
})

test('an operator that is not known is named', () => {
  const graph = { input: [value('x', 1, 2n)], initializer: [weight], output: [value('y', 1)] }
  expect(
    gradient({ ...graph, node: [{ ...times, domain: 'com.example', opType: 'Twist' }] }),
  ).toThrow(
    'node "n" (com.example.Twist): the shapes of this operator are not known, and the file does not tell them',
  )
})

test('shapes that do not fit are named', () => {
  const graph = {
    input: [value('x', 1, 3n)],
    initializer: [weight],
    node: [times],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow('node "n" (Mul): shapes [3] and [2] must broadcast, but do not')
})

test('a model without parameters is refused', () => {
  const graph = {
    input: [value('x', 1, 2n)],
    node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
    output: [value('y', 1)],
  }
  expect(gradient(graph)).toThrow('model: the loss must depend on a parameter, but does not')
})
