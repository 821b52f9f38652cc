import { expect, test } from 'vitest'
import {
  applyLora,
  batchNorm,
  buildModel,
  conv,
  gradientModel,
  inferenceModel,
  initializerRoles,
  type LoraState,
  linear,
  lora,
  loraState,
  type Model,
  meanSquaredError,
  mergeLora,
  readModel,
  relu,
  seeded,
  sequential,
  writeModel,
} from '../src/index.ts'
import { fixture } from './model-file.ts'
import { expectTensorClose, float, floats, integers, session } from './session.ts'

const bert = () => readModel(fixture('bert.onnx'), () => fixture('bert.onnx_data'))

/** Random values in place of the zeros of B, so that the adapters act. */
function disturbed(model: Model): Model {
  const random = seeded(7)
  const { adapters, weights } = loraState(model)
  const changed = [...adapters].map(([name, { a, b, scale }]) => {
    return [name, { a, b: { ...b, data: b.data.map(() => random.normal()) }, scale }] as const
  })
  return applyLora(model.lora?.base ?? model, { adapters: new Map(changed), weights })
}

/** The first output for a batch of 2, of any model with static inputs else. */
async function run(model: Model) {
  const random = seeded(3)
  const feeds = model.inputs.map(({ name, type, shape = [] }) => {
    const dims = shape.map((size) => (typeof size === 'number' ? size : 2))
    const length = dims.reduce((n, size) => n * size, 1)
    const values = Array.from({ length }, () => random.uniform())
    return [
      name,
      type === 'float32'
        ? float(Float32Array.from(values), dims)
        : integers(
            values.map((x) => (name.includes('mask') ? 1 : Math.floor(x * 2))),
            dims,
          ),
    ] as const
  })
  const results = await (await session(model)).run(Object.fromEntries(feeds))
  return floats(results, model.outputs[0]?.name ?? '')
}

const mlp = (): Model =>
  buildModel(sequential(linear(16), relu, linear(4)), { shape: ['batch', 8], seed: 1 })
const tokens = (): Model => buildModel(linear(6), { shape: ['batch', 3, 8], seed: 1 })
const images = (): Model =>
  buildModel(
    sequential(conv(6, { stride: 2, dilation: 2, bias: true }), relu, conv(3, { kernel: 1 })),
    {
      shape: ['batch', 2, 9, 9],
      seed: 1,
    },
  )

test.each([
  ['Gemm', mlp, 2],
  ['MatMul by a transpose', tokens, 1],
  ['Conv', images, 2],
  ['an exported BERT', bert, undefined],
] as const)(
  'adapters of %s start as nothing, and merge into their weights',
  async (_, build, count) => {
    const model = build()
    const adapted = lora(model, { targets: [/./], rank: 2, alpha: 6 })
    if (count !== undefined) expect(adapted.lora?.adapters.size).toBe(count)
    const before = await run(model)
    expectTensorClose(await run(adapted), before, 1e-6)
    const changed = disturbed(adapted)
    const output = await run(changed)
    expect(() => expectTensorClose(output, before, 1e-2)).toThrow()
    const merged = mergeLora(changed)
    expect(merged.nodes).toBe(model.nodes)
    expectTensorClose(await run(merged), output, 1e-5)
  },
)

test('only adapters, and what is named beside them, are trained', () => {
  const model = lora(bert(), {
    targets: [/query|MatMul/],
    rank: 2,
    trained: [/classifier|cls|bias$/],
  })
  const { parameters, frozen } = initializerRoles(model)
  expect([...parameters.keys()].toSorted()).toEqual([...(model.lora?.trained ?? [])].toSorted())
  expect(frozen.size).toBeGreaterThan(10)
})

test('the normalizations of a model with adapters keep their running statistics', () => {
  const model = buildModel(sequential(conv(4), batchNorm(), relu), { shape: [2, 3, 5, 5], seed: 1 })
  const options = { loss: meanSquaredError() }
  expect(gradientModel(model, options).statistics.size).toBe(2)
  const { parameters, statistics } = gradientModel(
    lora(model, { targets: [/^0/], rank: 2 }),
    options,
  )
  expect([...parameters.keys()]).toEqual(['0.weight.lora_A', '0.weight.lora_B'])
  expect(statistics.size).toBe(0)
})

test('a merged model comes back in its file', () => {
  const model = readModel(fixture('fp16.onnx'))
  const adapted = lora(model, { targets: [/^w1$/], rank: 2 })
  const merged = readModel(writeModel(inferenceModel(mergeLora(disturbed(adapted)))))
  expect(merged.nodes).toEqual(model.nodes)
  expect(merged.initializers.get('w2')).toEqual(model.initializers.get('w2'))
  expect(merged.initializers.get('w1')).not.toEqual(model.initializers.get('w1'))
  // Unchanged adapters give the file unchanged.
  expect(Buffer.compare(writeModel(mergeLora(adapted)), writeModel(model))).toBe(0)
})

test('options and weights that do not fit are refused by name', () => {
  const model = mlp()
  expect(() => lora(model, { targets: [/conv/], rank: 2 })).toThrow(
    'lora: targets must match weights of MatMul, Gemm or Conv, but /conv/ matches none of 0.weight, 2.weight',
  )
  expect(() => lora(model, { targets: [/0/], rank: 0 })).toThrow(
    'lora: rank must be an integer >= 1, but is 0',
  )
  expect(() => lora(model, { targets: [/0/], rank: 1, trained: [/head/] })).toThrow(
    'lora: trained must match parameters, but /head/ matches none',
  )
  const adapted = lora(model, { targets: [/^0/], rank: 1 })
  expect(() => lora(adapted, { targets: [/0/], rank: 1 })).toThrow('the model has adapters already')
  expect(() => mergeLora(model)).toThrow('lora: the model must have adapters, but has none')
  const state = loraState(adapted)
  expect(() => applyLora(tokens(), state)).toThrow('lora: "0.weight" must be')
  const wrong: LoraState = {
    ...state,
    adapters: new Map([...state.adapters].map(([, a]) => ['2.weight', a])),
  }
  expect(() => applyLora(model, wrong)).toThrow(
    'lora: the adapter of "2.weight" must be [16,1] and [1,4], but is [8,1] and [1,16]',
  )
})

test('a weight that another operator reads too gets no adapter', () => {
  const model = readModel(fixture('fp16.onnx'))
  const [node] = model.nodes
  if (!node) throw new TypeError('there must be a node')
  const gather = { ...node, operator: 'Relu', name: 'r', inputs: ['w1'], outputs: ['r'] }
  expect(() =>
    lora({ ...model, nodes: [...model.nodes, gather] }, { targets: [/w1/], rank: 1 }),
  ).toThrow('may read "w1", but node "r" (Relu) does')
})
