import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { OnnxError } from '../src/model/error.ts'
import { initializerRoles } from '../src/model/initializer-roles.ts'
import { writeModel } from '../src/model/write.ts'
import { buildModel, sequential } from '../src/nn/layer.ts'
import { linear } from '../src/nn/layers.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { trainStepModel } from '../src/train-step-model.ts'

const network = sequential(linear(3))
const shape = ['batch', 2]
const model = buildModel(network, { shape, seed: 1 })
const options = { loss: crossEntropy(), dimensions: { batch: 4 } }

/** What plain JavaScript can pass. */
const untyped = (value: unknown): never => value as never

test.each([
  [
    'an unknown option',
    { ...options, learningRate: 1 },
    'model options: has no option "learningRate"; it has loss, frozen, lowering, mode, dimensions, shapes',
  ],
  ['no options', undefined, 'model options: options must be an object, but are undefined'],
  [
    'no loss',
    { dimensions: { batch: 4 } },
    'loss must be a function, such as crossEntropy(), but is undefined',
  ],
  [
    'a loss that is an object',
    { ...options, loss: {} },
    'loss must be a function, such as crossEntropy(), but is of class Object',
  ],
  [
    'a single pattern',
    { ...options, frozen: /0/ },
    'frozen must be a list of patterns, but is of class RegExp',
  ],
  [
    'names as patterns',
    { ...options, frozen: ['0.weight'] },
    'frozen must be a list of patterns, but is [0.weight]',
  ],
  [
    'a pattern that freezes nothing',
    { ...options, frozen: [/Bias$/] },
    'frozen: /Bias$/ must match a parameter, but matches none of 0.weight, 0.bias',
  ],
  [
    'an unknown mode',
    { ...options, mode: 'eval' },
    'mode must be one of "train", "evaluate", but is "eval"',
  ],
  [
    'an unknown lowering',
    { ...options, lowering: { weightGradients: 'taps' } },
    'lowering: has no option "weightGradients"; it has weightGradient, imageGradient',
  ],
  [
    'an unknown form',
    { ...options, lowering: { operators: 'Plain' } },
    'lowering.operators must be one of "standard", "plain", but is "Plain"',
  ],
  [
    'a function as a number',
    { ...options, lowering: { productUpTo: () => 4 } },
    'lowering.productUpTo must be an integer >= 0, but is a function',
  ],
  [
    'a dimension that the model lacks',
    { ...options, dimensions: { batch: 4, bacth: 4 } },
    'dimensions: has no option "bacth"; it has batch',
  ],
  [
    'a shape of an input that the model lacks',
    { ...options, shapes: { image: [4, 2] } },
    'shapes: has no option "image"; it has input',
  ],
  [
    'a number as a shape',
    { ...options, shapes: { input: 4 } },
    'the shape of "input" must be a list, but is 4',
  ],
])('gradientModel and trainStepModel refuse %s by name', (_, wrong, message) => {
  expect(() => gradientModel(model, untyped(wrong))).toThrow(OnnxError)
  expect(() => gradientModel(model, untyped(wrong))).toThrow(message)
  if (wrong) expect(() => trainStepModel(model, untyped({ ...wrong, update: [] }))).toThrow(message)
})

test('the bytes of a file are refused as a model', () => {
  expect(() => gradientModel(untyped(writeModel(model)), options)).toThrow(
    'model: must be a model, as readModel and buildModel return, but is of class Uint8Array',
  )
})

test('trainStepModel refuses an update that is a rule', () => {
  expect(() => trainStepModel(model, { ...options, update: untyped(() => 1) })).toThrow(
    'train step: update must be a kernel or a list of operations, but is a function',
  )
})

test.each([
  ['no layer', 5, { shape, seed: 1 }, 'buildModel: must build a layer, but got 5'],
  ['an unknown option', network, { shape, sead: 1 }, 'buildModel: has no option "sead"'],
  ['no seed', network, { shape }, 'buildModel: seed must be an integer, but is undefined'],
  [
    'a seed of a fraction',
    network,
    { shape, seed: 0.5 },
    'buildModel: seed must be an integer, but is 0.5',
  ],
  [
    'a shape of 0',
    network,
    { shape: ['batch', 0], seed: 1 },
    'buildModel: shape must be a list of integers > 0 and names, but is [batch,0]',
  ],
  [
    'a number as a name',
    network,
    { shape, seed: 1, output: 3 },
    'buildModel: output must be text, but is 3',
  ],
])('buildModel refuses %s by name', (_, layer, wrong, message) => {
  expect(() => buildModel(untyped(layer), untyped(wrong))).toThrow(message)
})

test('losses refuse unknown options by name', () => {
  expect(() => crossEntropy(untyped({ lableSmoothing: 0.1 }))).toThrow(
    'cross-entropy: has no option "lableSmoothing"',
  )
  expect(() => crossEntropy({ targets: untyped('labels') })).toThrow(
    'targets must be "classes" or "probabilities", but is "labels"',
  )
  expect(() => meanSquaredError(untyped({ targets: 'y' }))).toThrow(
    'loss: has no option "targets"; it has output, target',
  )
})

test('initializerRoles refuses a pattern that matches statistics only', () => {
  expect(() => initializerRoles(model, [/running/])).toThrow(
    'frozen: /running/ must match a parameter',
  )
})
