import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import {
  adaptableWeights,
  apply,
  attachHead,
  backbonePattern,
  buildModel,
  cast,
  conv,
  Graph,
  gradientModel,
  hasHead,
  headNames,
  type Layer,
  labelsOf,
  linear,
  lora,
  type Model,
  maxPool,
  onlyNames,
  readModel,
  relu,
  renameValues,
  replaceHead,
  seeded,
  selfAttention,
  sequential,
  toModel,
  withLabels,
  writeModel,
} from '../src/index.ts'
import { crossEntropy } from '../src/nn/losses.ts'
import { fixture } from './model-file.ts'
import { float, floats, integers, session } from './session.ts'

const random = seeded(5)
const normals = (length: number) => Float32Array.from({ length }, () => random.normal())
const elements = ({ initializers }: Model, name: string | undefined): readonly number[] => {
  const tensor = initializers.get(name ?? '')
  return tensor && tensor.type !== 'opaque' ? Array.from(tensor.data, Number) : []
}
const softmax: Layer = (x) => apply('Softmax', [x])

/** x·Wᵀ + b for one row, in float64. */
const product = (row: Float32Array, weight: readonly number[], bias: readonly number[]) =>
  bias.map((b, o) => row.reduce((sum, x, i) => sum + x * weight[o * row.length + i], b))

test('a new head returns x·Wᵀ + b for other classes, without the softmax after the old one', async () => {
  const built = buildModel(sequential(linear(5), softmax), { shape: ['batch', 3], seed: 1 })
  const model = replaceHead(readModel(writeModel(built)), 2, 7)
  const [weight, bias] = headNames(model)
  expect(elements(model, weight)).toHaveLength(6)
  expect(elements(model, bias)).toEqual([0, 0])
  const row = normals(3)
  const results = await (await session(model)).run({ input: float(row, [1, 3]) })
  const expected = product(row, elements(model, weight), elements(model, bias))
  expectClose(floats(results, 'output'), expected, { relative: 1e-5, absolute: 1e-6 })
  expect(elements(replaceHead(model, 2, 8), weight)).not.toEqual(elements(model, weight))
})

test('a new head is written into the file, and nothing else in it changes', () => {
  const model = readModel(fixture('vit.onnx'), () => fixture('vit.onnx'))
  const next = replaceHead(model, 3, 1)
  const again = readModel(writeModel(next))
  expect(again.outputs[0]?.shape?.at(-1)).toBe(3)
  expect(again.nodes.map(({ name }) => name)).toEqual(model.nodes.map(({ name }) => name))
  const head = headNames(model)
  for (const name of model.initializers.keys())
    if (!head.includes(name)) expect(elements(again, name)).toEqual(elements(model, name))
})

test('only the head is trained behind the pattern of its backbone', () => {
  const network = sequential(conv(4), relu, maxPool(2), (x) => apply('Flatten', [x]), linear(3))
  const model = replaceHead(buildModel(network, { shape: ['batch', 1, 4, 4], seed: 1 }), 2, 1)
  const frozen = [backbonePattern(model)]
  const options = { loss: crossEntropy(), dimensions: { batch: 2 }, frozen }
  expect([...gradientModel(model, options).parameters.keys()]).toEqual(['4.weight', '4.bias'])
})

test('features of images and texts are averaged before an attached head, texts over their tokens', async () => {
  const images = attachHead(buildModel(conv(2), { shape: ['batch', 1, 2, 3], seed: 1 }), 2, 3)
  const file = readModel(writeModel(images))
  const probe = {
    ...file,
    outputs: [
      ...file.outputs,
      ...buildModel(conv(2), { shape: ['batch', 1, 2, 3], seed: 1 }).outputs,
    ],
  }
  const found = await (await session(probe)).run({ input: float(normals(6), [1, 1, 2, 3]) })
  const maps = floats(found, 'output')
  const means = [0, 1].map((c) => maps.subarray(6 * c, 6 * c + 6).reduce((a, b) => a + b) / 6)
  const head = [elements(file, 'head.weight'), elements(file, 'head.bias')] as const
  expectClose(floats(found, 'logits'), product(Float32Array.from(means), ...head), {
    relative: 1e-5,
    absolute: 1e-6,
  })
  const graph = new Graph()
  const hidden = graph.input('hidden', 'float32', ['batch', 'length', 2])
  graph.input('attention_mask', 'int64', ['batch', 'length'])
  const bare = toModel({
    name: 'texts',
    outputs: new Map([['last_hidden_state', relu(hidden, { path: '', random })]]),
  })
  const masked = { name: 'attention_mask', type: 'int64', shape: ['batch', 'length'] } as const
  const texts = attachHead({ ...bare, inputs: [...bare.inputs, masked] }, 2, 3)
  const { logits } = await (await session(texts)).run({
    hidden: float(Float32Array.of(1, 2, 3, 6, 500, 700), [1, 3, 2]),
    attention_mask: integers([1, 1, 0], [1, 3]),
  })
  const weights = [elements(texts, 'head.weight'), elements(texts, 'head.bias')] as const
  // The means of (1, 2) and (3, 6); the third token is padding.
  expectClose(logits.data as Float32Array, product(Float32Array.of(2, 4), ...weights), {
    relative: 1e-5,
  })
})

test('what cannot have a head is refused by name', () => {
  const features = buildModel(relu, { shape: ['batch', 3], seed: 1 })
  expect(hasHead(features)).toBe(false)
  expect(() => replaceHead(features, 2, 1)).toThrow(
    'head: the last layer must be linear (Gemm, or MatMul and Add, by a float32 weight), but output "output" is that of node "Relu" (Relu)',
  )
  const vector = buildModel(relu, { shape: [3], seed: 1 })
  expect(() => attachHead(vector, 2, 1)).toThrow(
    'head: output "output" must be float32 features of batch × features, batch × length × features or batch × channels × height × width, but is float32 [3]',
  )
  expect(() => attachHead(features, 0, 1)).toThrow('head: classes must be an integer > 0, but is 0')
})

test('adapters can act on all products of an exported BERT but a tied embedding', () => {
  const model = readModel(fixture('bert.onnx'), () => fixture('bert.onnx_data'))
  const weights = adaptableWeights(model)
  expect(weights.length).toBeGreaterThan(6)
  expect(weights.some((name) => name.includes('embeddings'))).toBe(false)
  const { lora: adapters } = lora(model, { targets: [onlyNames(weights)], rank: 2 })
  expect([...(adapters?.adapters.keys() ?? [])]).toEqual(weights)
})

test('padding that a mask marks does not change what attention returns for the tokens', async () => {
  const graph = new Graph()
  const mask = graph.input('mask', 'int64', ['batch', 'length'])
  const x = graph.input('x', 'float32', ['batch', 'length', 4])
  const layer = selfAttention(2, { mask: cast(mask, 'float32') })
  const y = layer(x, { path: '', random: seeded(3) })
  const running = await session(toModel({ name: 'attention', outputs: new Map([['y', y]]) }))
  const tokens = normals(8)
  const alone = await running.run({ x: float(tokens, [1, 2, 4]), mask: integers([1, 1], [1, 2]) })
  const padded = await running.run({
    x: float(Float32Array.of(...tokens, ...normals(4)), [1, 3, 4]),
    mask: integers([1, 1, 0], [1, 3]),
  })
  expectClose(floats(padded, 'y').subarray(0, 8), floats(alone, 'y'), { relative: 1e-5 })
})

test('a configuration gets the names of other classes, and keeps all else', () => {
  const config = {
    model_type: 'bert',
    id2label: { 0: 'no', 1: 'yes' },
    problem_type: 'multi_label_classification',
    'transformers.js_config': { dtype: 'q8', use_external_data_format: true },
  }
  expect(labelsOf(config)).toEqual(['no', 'yes'])
  const next = withLabels(config, ['a', 'b', 'c'])
  expect(labelsOf(next)).toEqual(['a', 'b', 'c'])
  expect(next).toMatchObject({
    model_type: 'bert',
    num_labels: 3,
    label2id: { a: 0, b: 1, c: 2 },
    problem_type: 'single_label_classification',
    'transformers.js_config': { dtype: 'fp32', use_external_data_format: true },
  })
  expect(() => withLabels({}, ['a', 'a'])).toThrow(
    'config.json: labels must differ, but two are "a"',
  )
  expect(() => labelsOf({ id2label: { 1: 'x' } })).toThrow(
    'config.json: id2label must have a name for class 0, but has undefined',
  )
})

test('a model with other names of inputs and outputs computes the same', async () => {
  const model = buildModel(sequential(linear(2), relu), { shape: ['batch', 3], seed: 1 })
  const renamed = renameValues(readModel(writeModel(model)), {
    input: 'pixel_values',
    output: 'logits',
  })
  const row = normals(3)
  const before = await (await session(model)).run({ input: float(row, [1, 3]) })
  const after = await (await session(renamed)).run({ pixel_values: float(row, [1, 3]) })
  expect(floats(after, 'logits')).toEqual(floats(before, 'output'))
  expect(() => renameValues(model, { input: '0.weight' })).toThrow(
    'model: must have one value "0.weight", but has two',
  )
})
