import '@tensorflow/tfjs-backend-wasm'
import { sgd } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  gradientModel,
  linear,
  type Model,
  meanSquaredError,
  type Node,
  readModel,
  sequential,
  type Tensor,
} from '@diffgrad/onnx'
import { ClassifierTrainer, Network } from '@diffgrad/onnx-tfjs'
import { readCheckpoint, Trainer, writeCheckpoint } from '@diffgrad/onnxruntime'
import { testSeed } from '@diffgrad/testing/seed'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import * as ort from 'onnxruntime-node'
import { beforeAll, expect, onTestFinished, test } from 'vitest'

beforeAll(async () => {
  registerWasmGradients()
  await tf.setBackend('wasm')
})

const filled = (shape: readonly number[], value: number): Tensor<'float32'> => ({
  type: 'float32',
  shape,
  data: new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(value),
})

const node = (operator: string, inputs: readonly string[], output: string, domain = ''): Node => ({
  operator,
  domain,
  name: output,
  inputs,
  outputs: [output],
  attributes: new Map(),
})

const modelOf = (nodes: readonly Node[], initializers: Model['initializers']): Model => ({
  name: 'model',
  inputs: [{ name: 'x', type: 'float32', shape: ['batch', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['batch', 2] }],
  nodes,
  initializers,
  values: new Map(),
  domains: new Map(),
})

/** y = x·w1·w2·½ */
const scaledProduct = modelOf(
  [
    node('MatMul', ['x', 'w1'], 'h1'),
    node('MatMul', ['h1', 'w2'], 'h2'),
    node('Mul', ['h2', 'half'], 'y'),
  ],
  new Map([
    ['w1', filled([2, 2], 1)],
    ['w2', filled([2, 2], 1)],
    ['half', filled([], 0.5)],
  ]),
)

function createNetwork(model: Model, frozen: readonly RegExp[] = []): Network {
  const network = new Network(model, frozen)
  onTestFinished(() => network.dispose())
  return network
}

test('a scalar constant is no parameter of the network, as in the gradient model', async () => {
  const options = { loss: meanSquaredError(), dimensions: { batch: 4 } }
  const { parameters } = gradientModel(scaledProduct, options)
  const network = createNetwork(scaledProduct)
  expect([...network.parameters.keys()]).toEqual([...parameters.keys()])
  expect([...network.parameters.keys()]).toEqual(['w1', 'w2'])
  const { y } = network.run({ x: tf.tensor([[1, 0]]) }, 'evaluate').outputs
  expect([...(await y.data())]).toEqual([1, 1])
})

test.each([/^w1/, /^w1/g, /w1/y])('%s freezes the same parameters in both packages', (pattern) => {
  const options = { loss: meanSquaredError(), dimensions: { batch: 4 }, frozen: [pattern] }
  const { parameters } = gradientModel(scaledProduct, options)
  const network = createNetwork(scaledProduct, [pattern])
  expect([...network.parameters.keys()]).toEqual([...parameters.keys()])
  expect([...network.parameters.keys()]).toEqual(['w2'])
})

test('a pattern with the flag g freezes every match', () => {
  const network = createNetwork(scaledProduct, [/^w/g])
  expect([...network.frozen.keys()]).toEqual(['w1', 'w2'])
  expect(network.parameters.size).toBe(0)
})

test('an operator of another domain is not the standard one of the same name', () => {
  const model = modelOf([node('Relu', ['x'], 'y', 'com.example')], new Map())
  expect(() => new Network(model)).toThrow('node "y" (com.example.Relu): TensorFlow.js does not')
})

const classifier = buildModel(
  sequential(
    sequential(conv(2), batchNorm()),
    sequential(conv(2), batchNorm()),
    globalAveragePool,
    linear(2),
  ),
  { shape: ['batch', 1, 4, 4], seed: testSeed(2) },
)
const frozen = [/^0\./]
const shape = [2, 1, 4, 4]
const inputs = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i))
const targets = Float32Array.of(1, 0, 0, 1)

function createClassifierTrainer(model: Model): ClassifierTrainer {
  const trainer = new ClassifierTrainer(model, { optimizer: { rule: sgd }, frozen })
  onTestFinished(() => trainer.dispose())
  return trainer
}

test('a checkpoint of a model with a frozen normalization fits the trainer of the other runtime', async () => {
  const tfjsTrainer = createClassifierTrainer(classifier)
  const ortTrainer = await Trainer.create(ort, classifier, {
    loss: crossEntropy({ targets: 'probabilities' }),
    dimensions: { batch: 2 },
    optimizer: { rule: sgd },
    frozen,
  })
  await tfjsTrainer.step({ inputs, shape, targets })
  await ortTrainer.load(writeCheckpoint({ ...(await tfjsTrainer.state()), notes: null }))
  const { weights } = readCheckpoint(await ortTrainer.save(), tfjsTrainer.shapes)
  expect(weights).toEqual((await tfjsTrainer.state()).weights)
  await ortTrainer.dispose()
})

test('a model that was exported in training mode is exported in evaluation mode', async () => {
  const training: Model = {
    ...classifier,
    nodes: classifier.nodes.map((each) =>
      each.operator === 'BatchNormalization'
        ? { ...each, attributes: new Map([...each.attributes, ['training_mode', 1]]) }
        : each,
    ),
  }
  const exported = readModel(await createClassifierTrainer(training).export())
  const modes = exported.nodes.map(({ attributes }) => attributes.get('training_mode') ?? 0)
  expect(modes).not.toContain(1)
})
