import { gunzipSync } from 'node:zlib'
import { adam, diffGrad, numbers as onNumbers, stepKernels } from '@diffgrad/core'
import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { type GradientModel, gradientModel } from '../src/gradient-model.ts'
import { referenceLowering } from '../src/ir/lowering.ts'
import type { DifferentiateOptions } from '../src/loss-graph.ts'
import { readModel } from '../src/model/read.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { fixture } from './model-file.ts'
import { expectTensorClose, feedsOf, floats, norm, session } from './session.ts'

interface Packed {
  readonly type: 'int64' | 'float32'
  readonly shape: readonly number[]
  /** Little-endian, in base 64. */
  readonly data: string
}

interface Golden {
  readonly inputs: Readonly<Record<string, Packed>>
  readonly target: Packed
  readonly modes: Readonly<
    Record<
      string,
      {
        readonly loss: number
        readonly output: Packed
        readonly gradients: Readonly<Record<string, Packed>>
      }
    >
  >
}

function unpack({ type, shape, data }: Packed): Tensor {
  const { buffer } = new Uint8Array(Buffer.from(data, 'base64'))
  return type === 'int64'
    ? new Tensor(type, new BigInt64Array(buffer), shape)
    : new Tensor(type, new Float32Array(buffer), shape)
}

function numbers(packed: Packed): Float32Array {
  const { data } = unpack(packed)
  if (data instanceof Float32Array) return data
  throw new TypeError('must be float32')
}

/** Runs the gradient model of an exported model and compares loss, output and gradients with PyTorch. */
async function compareWithPyTorch(name: string, options: DifferentiateOptions): Promise<void> {
  const {
    inputs: packedInputs,
    target,
    modes,
  }: Golden = JSON.parse(new TextDecoder().decode(fixture(`${name}.json`)))
  const golden = modes[options.mode ?? 'train']
  if (golden === undefined) throw new TypeError(`${name} must have golden data for the mode`)
  const { model, loss, parameters, statistics } = gradientModel(
    readModel(fixture(`${name}.onnx`), fixture),
    options,
  )
  const inputs = Object.entries(packedInputs)
  const classes = unpack(target)
  const isPlain = options.lowering?.operators === 'plain' && classes.type === 'int64'
  const running = await session(model)
  const results = await running.run({
    ...Object.fromEntries(inputs.map(([input, packed]) => [input, unpack(packed)])),
    target: isPlain
      ? new Tensor('int32', Int32Array.from(classes.data, Number), classes.dims)
      : classes,
    ...feedsOf([...parameters, ...statistics]),
  })
  expectTensorClose(floats(results, loss), [golden.loss], 1e-5, 'loss')
  expectTensorClose(floats(results, 'logits'), numbers(golden.output), 1e-5, 'output')
  expectGradients(results, parameters, golden.gradients)
}

/** Throws unless the gradient of every parameter is that of PyTorch, within 1e-5 of its largest element. */
function expectGradients(
  results: InferenceSession.OnnxValueMapType,
  parameters: GradientModel['parameters'],
  golden: Readonly<Record<string, Packed>>,
): void {
  expect(new Set(parameters.keys())).toEqual(new Set(Object.keys(golden)))
  const totalNorm = norm(Object.values(golden).map((packed) => norm(numbers(packed))))
  for (const [parameter, packed] of Object.entries(golden)) {
    const expected = numbers(packed)
    const found = floats(results, parameters.get(parameter)?.gradient ?? '')
    // A gradient that is zero except for rounding is compared with the norm of all gradients.
    if (norm(expected) < 1e-9 * totalNorm)
      expect(norm(found), parameter).toBeLessThan(1e-5 * totalNorm)
    else expectTensorClose(found, expected, 1e-5, parameter)
  }
}

const models: readonly (readonly [
  name: string,
  mode: 'train' | 'evaluate',
  options: DifferentiateOptions,
])[] = [
  ['mobile', 'train', { loss: crossEntropy(), dimensions: { batch: 4 } }],
  ['mobile', 'evaluate', { loss: crossEntropy(), dimensions: { batch: 4 } }],
  ['unet', 'evaluate', { loss: meanSquaredError(), dimensions: { batch: 2 } }],
  ['vit', 'evaluate', { loss: crossEntropy(), dimensions: { batch_size: 3 } }],
  ['bert', 'evaluate', { loss: crossEntropy(), dimensions: { batch_size: 3, sequence_length: 7 } }],
]

test.each(models)(
  '%s, exported by PyTorch: every gradient agrees with PyTorch, mode %s',
  (name, mode, options) => compareWithPyTorch(name, { ...options, mode }),
)

test.each(models)(
  '%s in the reference lowering: every gradient agrees with PyTorch, mode %s',
  (name, mode, options) =>
    compareWithPyTorch(name, { ...options, mode, lowering: referenceLowering }),
)

test.each(models)(
  '%s in plain operators: every gradient agrees with PyTorch, mode %s',
  async (name, mode, options) => {
    const lowering = {
      operators: 'plain',
      weightGradient: 'taps',
      imageGradient: 'flipped',
    } as const
    await compareWithPyTorch(name, { ...options, mode, lowering })
  },
)

type LayerGolden = Readonly<
  Record<
    string,
    {
      readonly x: Packed
      readonly target: Packed
      readonly loss: number
      readonly output: Packed
      readonly gradients: Readonly<Record<string, Packed>>
      /** The losses before each of 20 steps of a rule, and after them. */
      readonly losses: Readonly<Record<'adam' | 'diffGrad', readonly number[]>>
    }
  >
>

const layers: LayerGolden = JSON.parse(new TextDecoder().decode(fixture('layers.json')))

type Layer = Awaited<ReturnType<typeof createLayer>>

/** The gradient model of an exported layer, with its session. */
async function createLayer(name: string, opset: number) {
  const golden = layers[name]
  if (golden === undefined) throw new TypeError(`${name} must have golden data`)
  const { model, loss, parameters } = gradientModel(
    readModel(gunzipSync(fixture(`${name}-${opset}.onnx.gz`))),
    {
      loss: meanSquaredError(),
      mode: 'evaluate',
      // A buffer of PyTorch's, which ONNX does not tell from a parameter.
      frozen: name === 'decoder' ? [/^angles$/] : [],
    },
  )
  const batch = { x: unpack(golden.x), target: unpack(golden.target) }
  return { golden, loss, parameters, batch, running: await session(model) }
}

const created = new Map<string, Promise<Layer>>()

/** The same session for all tests of a file. */
function layerOf(name: string, opset: number): Promise<Layer> {
  const key = `${name}-${opset}`
  const layer = created.get(key) ?? createLayer(name, opset)
  created.set(key, layer)
  return layer
}

test.each(Object.keys(layers).flatMap((name) => [11, 16].map((opset) => [name, opset] as const)))(
  '%s of opset %i, exported by PyTorch: every gradient agrees with PyTorch',
  async (name, opset) => {
    const { golden, loss, parameters, batch, running } = await layerOf(name, opset)
    const results = await running.run({ ...batch, ...feedsOf(parameters) })
    expectTensorClose(floats(results, loss), [golden.loss], 1e-5, 'loss')
    expectTensorClose(floats(results, 'y'), numbers(golden.output), 1e-5, 'output')
    expectGradients(results, parameters, golden.gradients)
  },
)

/** The update of step t, with α = 0.01. */
const updates = {
  adam: (t: number) => stepKernels(adam, { ...adam.defaults, learningRate: 0.01 }, t),
  diffGrad: (t: number) => stepKernels(diffGrad, { ...diffGrad.defaults, learningRate: 0.01 }, t),
}

test.each(
  Object.keys(layers).flatMap((name) =>
    (['diffGrad', 'adam'] as const).map((rule) => [name, rule] as const),
  ),
)('%s, exported by PyTorch: 20 steps of %s have the losses of PyTorch', async (name, rule) => {
  const { golden, loss, parameters, batch, running } = await layerOf(name, 16)
  const weights = feedsOf(parameters)
  const state = new Map<string, Readonly<Record<string, number>>[]>()
  const losses: number[] = []
  for (let t = 1; t <= 21; t++) {
    const results = await running.run({ ...batch, ...weights })
    losses.push(floats(results, loss)[0] ?? Number.NaN)
    const { update, coefficients } = updates[rule](t)
    const zeros = Object.fromEntries(update.reads.map((slot) => [slot, 0]))
    for (const [parameter, { gradient }] of parameters) {
      const theta = floats(weights, parameter)
      const before = state.get(parameter)
      const slots = Array.from(floats(results, gradient), (g, i) =>
        update.evaluate(
          onNumbers,
          { ...zeros, ...before?.[i], theta: theta[i] ?? Number.NaN, g },
          coefficients,
        ),
      )
      theta.set(slots.map((next) => next.theta ?? Number.NaN))
      state.set(parameter, slots)
    }
  }
  expectTensorClose(losses, golden.losses[rule], 1e-4, 'losses')
})
