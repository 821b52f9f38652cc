import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gradients } from '../src/autodiff/gradients.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { Graph } from '../src/ir/graph.ts'
import { toModel } from '../src/ir/to-model.ts'
import { readModel } from '../src/model/read.ts'
import {
  binaryCrossEntropy,
  contrastive,
  crossEntropy,
  huber,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  outputLoss,
} from '../src/nn/losses.ts'
import { gather, reshape } from '../src/ops/builders.ts'
import { file } from './model-file.ts'
import { expectTensorClose, feedsOf, float, floats, integers, session } from './session.ts'

interface Expected {
  readonly shape: readonly number[]
  readonly output: readonly number[]
  readonly target: readonly number[]
  readonly loss: number
  readonly gradient: readonly number[]
}

/** Computed by PyTorch with losses.py. */
const expected: Readonly<Record<string, Expected>> = JSON.parse(
  readFileSync(new URL('golden/losses.json', import.meta.url), 'utf8'),
)
const classWeights = [0.5, 2, 1, 0.25, 3]
const mixed = { targets: 'probabilities' } as const

const tokens = { axis: -1, ignoreIndex: -100 } as const

/** A loss of two outputs, of one that holds both. */
const ofPairs =
  (loss: Loss): Loss =>
  (outputs) => {
    const [pairs] = outputs.values()
    if (!pairs) throw new TypeError('there must be an output')
    const part = (i: number) => reshape(gather(pairs, [i], 0), [3, 5])
    return loss(new Map([0, 1].map((i) => [['a', 'b'][i] ?? '', part(i)])))
  }

const losses: readonly (readonly [name: string, loss: Loss])[] = [
  ['classes', crossEntropy()],
  ['smoothed', crossEntropy({ labelSmoothing: 0.1 })],
  ['weighted', crossEntropy({ classWeights })],
  ['weighted, smoothed', crossEntropy({ classWeights, labelSmoothing: 0.1 })],
  ['mixed', crossEntropy(mixed)],
  ['mixed, weighted, smoothed', crossEntropy({ ...mixed, classWeights, labelSmoothing: 0.1 })],
  ['pixels', crossEntropy()],
  ['squared', meanSquaredError()],
  ['binary', binaryCrossEntropy()],
  ['absolute', meanAbsoluteError()],
  ['Huber', huber({ delta: 0.5 })],
  ['tokens', crossEntropy(tokens)],
  ['tokens, weighted', crossEntropy({ ...tokens, classWeights })],
  ['tokens, weighted, smoothed', crossEntropy({ ...tokens, classWeights, labelSmoothing: 0.1 })],
  ['tokens, smoothed', crossEntropy({ ...tokens, labelSmoothing: 0.1 })],
  ['contrastive', ofPairs(contrastive({ outputs: ['a', 'b'], temperature: 0.1 }))],
]

test.each(losses)('the loss of %s and its gradient agree with PyTorch', async (name, loss) => {
  const golden = expected[name]
  if (golden === undefined) throw new TypeError(`${name} must be in the golden data`)
  const { shape } = golden
  const graph = new Graph()
  const output = graph.input('output', 'float32', shape)
  const value = loss(new Map([['output', output]]))
  const gradient = gradients(value, [output]).get(output) ?? value
  const model = toModel({
    name: 'loss',
    outputs: new Map([
      ['loss', value],
      ['gradient', gradient],
    ]),
  })
  const [, target] = model.inputs
  const targetShape = (target?.shape ?? []).map(Number)
  const results = await (await session(model)).run({
    output: float(Float32Array.from(golden.output), shape),
    ...(target && {
      target:
        target.type === 'int64'
          ? integers(golden.target, targetShape)
          : float(Float32Array.from(golden.target), targetShape),
    }),
  })
  expectTensorClose(floats(results, 'loss'), [golden.loss], 1e-6)
  expectTensorClose(floats(results, 'gradient'), golden.gradient, 1e-6)
})

test('a loss of a model with several outputs must name one', () => {
  const graph = new Graph()
  const outputs = new Map(
    ['a', 'b'].map((name) => [name, graph.input(name, 'float32', [2, 3])] as const),
  )
  expect(() => crossEntropy()(outputs)).toThrow(
    'loss: must name one of the outputs a, b, but names none',
  )
  expect(() => crossEntropy({ output: 'c' })(outputs)).toThrow('but names c')
  expect(crossEntropy({ output: 'b' })(outputs).shape).toEqual([])
})

test('label smoothing and class weights are checked', () => {
  const outputs = new Map([['y', new Graph().input('y', 'float32', [2, 3])]])
  expect(() => crossEntropy({ labelSmoothing: 1 })).toThrow(
    'cross-entropy: labelSmoothing must be in [0, 1), but is 1',
  )
  expect(() => crossEntropy({ axis: 2 })(outputs)).toThrow(
    'cross-entropy: axis must be in [-2, 2), but is 2',
  )
  expect(() => crossEntropy({ ignoreIndex: 0.5 })).toThrow(
    'cross-entropy: ignoreIndex must be an integer, but is 0.5',
  )
  expect(() => crossEntropy({ ignoreIndex: 0, targets: 'probabilities' })).toThrow(
    'cross-entropy: ignoreIndex needs targets "classes"',
  )
  expect(() => huber({ delta: 0 })).toThrow('huber: delta must be a number > 0, but is 0')
  expect(() => contrastive({ outputs: ['y', 'y'], temperature: 0 })).toThrow(
    'contrastive: temperature must be a number > 0, but is 0',
  )
  expect(() => crossEntropy({ classWeights: [1] })(outputs)).toThrow(
    'cross-entropy: classWeights must have 3 entries, but has 1',
  )
})

/** A model whose output is its loss. */
const withLoss = (operator: string, labelType: number): Uint8Array => {
  const value = (name: string, elemType: number, ...sizes: readonly string[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: {
          dim: sizes.map((size) => ({
            value: /\d/.test(size)
              ? ({ case: 'dimValue', value: BigInt(size) } as const)
              : ({ case: 'dimParam', value: size } as const),
          })),
        },
      },
    },
  })
  const loss = { opType: operator, input: ['logits', 'label'], output: ['loss'] }
  const squared = [
    { opType: 'Sub', input: ['logits', 'label'], output: ['e'] },
    { opType: 'Mul', input: ['e', 'e'], output: ['s'] },
    { opType: 'ReduceMean', input: ['s'], output: ['loss'] },
  ]
  return file({
    input: [
      value('x', 1, 'batch', '3'),
      value('label', labelType, 'batch', ...(labelType === 7 ? [] : ['2'])),
    ],
    output: [value('loss', 1)],
    initializer: [
      { name: 'w', dataType: 1, dims: [3n, 2n], floatData: [0.5, -1, 2, 0.25, -0.5, 1] },
    ],
    node: [
      { opType: 'MatMul', input: ['x', 'w'], output: ['logits'] },
      ...(labelType === 7 ? [loss] : squared),
    ],
  })
}

test.each([
  ['SoftmaxCrossEntropyLoss', 7, integers([1, 0]), crossEntropy()],
  ['ReduceMean', 1, float(Float32Array.of(1, 2, 3, 4), [2, 2]), meanSquaredError()],
] as const)(
  'a model whose output is its loss is trained on it: %s',
  async (operator, type, label, same) => {
    const dimensions = { batch: 2 }
    const x = float(Float32Array.of(1, 2, 3, -1, 0.5, 2), [2, 3])
    const inside = readModel(withLoss(operator, type))
    const model = gradientModel(inside, { loss: outputLoss(), dimensions })
    const outside = gradientModel(
      {
        ...inside,
        inputs: inside.inputs.slice(0, 1),
        outputs: [{ name: 'logits', type: 'float32', shape: undefined }],
        nodes: inside.nodes.slice(0, 1),
      },
      { loss: same, dimensions },
    )
    const state = feedsOf(model.parameters)
    const a = await (await session(model.model)).run({ x, label, ...state })
    const b = await (await session(outside.model)).run({ x, target: label, ...state })
    expectTensorClose(floats(a, model.loss), floats(b, outside.loss), 1e-6)
    expectTensorClose(floats(a, 'loss'), floats(b, outside.loss), 1e-6)
    const gradientOf = ({ parameters }: typeof model) => parameters.get('w')?.gradient ?? ''
    expectTensorClose(floats(a, gradientOf(model)), floats(b, gradientOf(outside)), 1e-6)
  },
)

test('an output of several elements is no loss', () => {
  const y = new Graph().input('y', 'float32', [2, 4])
  expect(() => outputLoss()(new Map([['y', y]]))).toThrow(
    'output loss: output "y" must be a scalar, but has the shape [2,4]',
  )
})
