import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gradients } from '../src/autodiff/gradients.ts'
import { Graph } from '../src/ir/graph.ts'
import { toModel } from '../src/ir/to-model.ts'
import {
  binaryCrossEntropy,
  contrastive,
  crossEntropy,
  huber,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
} from '../src/nn/losses.ts'
import { gather, reshape } from '../src/ops/builders.ts'
import { expectTensorClose, float, floats, integers, session } from './session.ts'

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
