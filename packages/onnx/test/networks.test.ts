import { readFileSync } from 'node:fs'
import { adam, diffGrad, stepKernels } from '@diffgrad/core'
import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { inferenceModel } from '../src/evaluation-model.ts'
import type { Lowering } from '../src/ir/lowering.ts'
import { referenceLowering } from '../src/ir/lowering.ts'
import { initializerRoles } from '../src/model/initializer-roles.ts'
import type { Model, Tensor as ModelTensor } from '../src/model/model.ts'
import { elementCount, isFloat32 } from '../src/model/model.ts'
import { squeezeExcitation } from '../src/nn/attention.ts'
import { buildModel, type Layer, sequential } from '../src/nn/layer.ts'
import { conv, globalAveragePool, linear, maxBlurPool, mish, relu } from '../src/nn/layers.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { seResNet18 } from '../src/nn/se-resnet.ts'
import { xResNet18Deep, xResNet18Deeper, xResNet50 } from '../src/nn/xresnet.ts'
import { arrayKey } from '../src/step-operations.ts'
import { trainStepModel } from '../src/train-step-model.ts'
import { expectTensorClose, feedOf, float, floats, integers, norm, session } from './session.ts'

/** Computed by PyTorch in double precision, with networks.py. */
interface Expected {
  readonly losses: readonly number[]
  readonly adamLosses: readonly number[]
  readonly output: readonly number[]
  /** The norm and two elements of each gradient. */
  readonly gradients: Readonly<Record<string, readonly [number, ...number[]]>>
  /** Two elements of each vector of a spectral norm after eight steps. */
  readonly statistics: Readonly<Record<string, readonly number[]>>
  /** The output in evaluation mode after eight steps; absent with batch normalization. */
  readonly evaluation?: readonly number[]
}

const expected: Readonly<Record<'narrow' | 'full', Readonly<Record<string, Expected>>>> =
  JSON.parse(readFileSync(new URL('golden/networks.json', import.meta.url), 'utf8'))

function goldenOf(width: 'narrow' | 'full', name: string): Expected {
  const golden = expected[width][name]
  if (golden) return golden
  throw new TypeError(`${name} must have expected values`)
}

/** Numbers in [-1, 1), the same as in networks.py. */
function noise(name: string, count: number): Float32Array<ArrayBuffer> {
  let seed = 2166136261
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619)
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (seed + i) | 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1
  })
}

/** The initial value of a parameter or statistic, the same as in networks.py. */
function initial(name: string, { shape, data }: ModelTensor<'float32'>): ModelTensor<'float32'> {
  if (name.includes('running')) return { type: 'float32', shape, data }
  const x = noise(name, data.length)
  const length = norm(x)
  const value = (map: (x: number) => number): ModelTensor<'float32'> => ({
    type: 'float32',
    shape,
    data: x.map(map),
  })
  if (/weight_[uv]$/.test(name)) return value((v) => v / length)
  if (name.endsWith('gamma')) return value(() => 0.01)
  if (shape.length === 1) return value((v) => (name.endsWith('weight') ? 1 : 0) + 0.1 * v)
  const fanIn = data.length / Number(shape[0])
  return value((v) => v * Math.sqrt(6 / fanIn))
}

/** A model with the initial values of networks.py. */
const modelOf = (layer: Layer, shape: readonly number[]): Model =>
  mapTensors(buildModel(layer, { shape, seed: 1 }), initial)

function mapTensors(
  model: Model,
  map: (name: string, tensor: ModelTensor<'float32'>) => ModelTensor<'float32'>,
): Model {
  const initializers = [...model.initializers].map(
    ([name, tensor]) => [name, isFloat32(tensor) ? map(name, tensor) : tensor] as const,
  )
  return { ...model, initializers: new Map(initializers) }
}

/** Up to `most` elements, evenly spread, the same as in networks.py. */
const sample = (x: Float32Array, most: number): readonly number[] => {
  const step = Math.max(Math.floor(x.length / most), 1)
  return [...x].filter((_, i) => i % step === 0).slice(0, most)
}

function optimizersAt(learningRate: number) {
  const ofDiffGrad = { ...diffGrad.defaults, learningRate }
  const ofAdam = { ...adam.defaults, learningRate }
  return {
    diffGrad: {
      update: stepKernels(diffGrad, ofDiffGrad, 1).update,
      coefficientsAt: (t: number) => stepKernels(diffGrad, ofDiffGrad, t).coefficients,
    },
    adam: {
      update: stepKernels(adam, ofAdam, 1).update,
      coefficientsAt: (t: number) => stepKernels(adam, ofAdam, t).coefficients,
    },
  }
}

/** With the learning rates of networks.py. β₁ is 0.9 in both. */
const optimizers = { narrow: optimizersAt(1e-4), full: optimizersAt(1e-3) }

/** Trains eight steps, and compares the output, all gradients, the losses and spectral norms. */
async function expectAsInPyTorch(
  model: Model,
  [width, name]: readonly [width: 'narrow' | 'full', name: string],
  optimizer: 'diffGrad' | 'adam',
  lowering: Partial<Lowering> = {},
): Promise<void> {
  const lengthsOf = ([value]: Model['inputs']): readonly number[] =>
    (value?.shape ?? []).map(Number)
  const [shape, outputShape] = [lengthsOf(model.inputs), lengthsOf(model.outputs)]
  const isClassifier = outputShape.length === 2
  const feeds = {
    input: float(noise('input', elementCount(shape)), shape),
    target: isClassifier
      ? classesOf(outputShape, lowering)
      : float(noise('target', elementCount(outputShape)), outputShape),
  }
  const { update, coefficientsAt } = optimizers[width][optimizer]
  const golden = goldenOf(width, name)
  const loss = isClassifier ? crossEntropy() : meanSquaredError()
  // One vector of all parameters makes few nodes.
  const { parameters } = initializerRoles(model)
  const [first = '', ...others] = parameters.keys()
  const step = trainStepModel(model, { loss, update, lowering, flat: [[first, ...others]] })
  const inputOf = (array: string): string => step.arrays.get(arrayKey(first, array)) ?? ''
  const partsOf = (vector: Float32Array): ReadonlyMap<string, Float32Array<ArrayBuffer>> => {
    let start = 0
    return new Map(
      [...parameters].map(([name, { data }]) => {
        start += data.length
        return [name, Float32Array.from(vector.subarray(start - data.length, start))]
      }),
    )
  }
  const running = await session(step.model, width === 'full' ? 2 : 1)
  let state = new Map([...step.state].map(([name, tensor]) => [name, feedOf(tensor)]))
  const losses: number[] = []
  for (let t = 1; t <= golden.losses.length; t++) {
    const values: Readonly<Record<string, number>> = coefficientsAt(t)
    const coefficients = [...(step.coefficients[0] ?? [])].map(
      ([name, input]) => [input, float(Float32Array.of(values[name] ?? Number.NaN), [])] as const,
    )
    const scalars = Object.fromEntries(coefficients)
    const results = await running.run({ ...feeds, ...scalars, ...Object.fromEntries(state) })
    losses.push(floats(results, step.loss)[0] ?? Number.NaN)
    const next = (name: string): Float32Array => floats(results, step.next.get(name) ?? '')
    state = new Map([...state].map(([name, { dims }]) => [name, float(next(name), dims)]))
    if (t > 1) continue
    expectTensorClose(sample(floats(results, 'output'), 40), golden.output, 1e-4, 'output')
    // After a step from zero, the first moment is (1 − β₁)·g.
    expect(new Set(parameters.keys())).toEqual(new Set(Object.keys(golden.gradients)))
    for (const [name, moment] of partsOf(next(inputOf('m')))) {
      const [length = Number.NaN, ...elements] = golden.gradients[name] ?? []
      const g = moment.map((m) => m / (1 - diffGrad.defaults.beta1))
      expectTensorClose([norm(g)], [length], 1e-4, name)
      expectTensorClose([length, ...sample(g, 2)], [length, ...elements], 1e-4, name)
    }
  }
  if (optimizer === 'adam') {
    expectTensorClose(losses, golden.adamLosses, 1e-4, 'losses')
    return
  }
  expectTensorClose(losses, golden.losses, 1e-4, 'losses')
  const last = Object.fromEntries(state)
  for (const [name, elements] of Object.entries(golden.statistics))
    expectTensorClose([1, ...sample(floats(last, name), 2)], [1, ...elements], 1e-4, name)
  if (!golden.evaluation) return
  const thetas = partsOf(floats(last, inputOf('theta')))
  const trained = mapTensors(model, (name, tensor) => ({
    ...tensor,
    data: thetas.get(name) ?? Float32Array.from(floats(last, name)),
  }))
  const evaluation = await session(inferenceModel(trained))
  const output = floats(await evaluation.run({ input: feeds.input }), 'output')
  expectTensorClose(sample(output, 40), golden.evaluation, 1e-4, 'evaluation')
}

/** One class for each row of the output. */
function classesOf(
  [batch = 1, classes = 1]: readonly number[],
  lowering: Partial<Lowering>,
): Tensor {
  const indices = Array.from({ length: batch }, (_, i) => i % classes)
  return lowering.operators === 'plain'
    ? new Tensor('int32', Int32Array.from(indices), [batch])
    : integers(indices)
}

const layers: readonly (readonly [string, Layer, readonly number[]])[] = [
  ['excitation', sequential(conv(6), squeezeExcitation(2)), [2, 3, 5, 4]],
  ...[2, 3, 4, 5].map(
    (taps) =>
      [
        `blur${taps}`,
        sequential(conv(2, { kernel: 1 }), maxBlurPool(taps)),
        [2, 3, 10, 9],
      ] as const,
  ),
  [
    'spectral',
    sequential(
      conv(4, { stride: 2, padding: 1, bias: true, spectralNorm: true }),
      relu,
      globalAveragePool,
      linear(3, { spectralNorm: true }),
    ),
    [5, 3, 6, 7],
  ],
]

const plain = { operators: 'plain', productUpTo: 0, channelBlock: 0 } as const

test.each(layers)(
  '%s: outputs, gradients and eight steps are those of PyTorch',
  async (name, layer, shape) => {
    const model = modelOf(layer, shape)
    await expectAsInPyTorch(model, ['narrow', name], 'diffGrad')
    await expectAsInPyTorch(model, ['narrow', name], 'adam', referenceLowering)
    await expectAsInPyTorch(model, ['narrow', name], 'diffGrad', plain)
  },
)

const attentive = { selfAttention: true, spectralNorm: true }
const narrow = { stem: [4, 4, 8], width: 8 }
const narrower = { stem: [2, 2, 4], width: 4 }
const deep = { ...narrower, ...attentive, pool: maxBlurPool(3) }

const networks: readonly (readonly [string, Layer, readonly number[]])[] = [
  ['seresnet18', seResNet18(10, { width: 8, reduction: 4 }), [8, 3, 32, 32]],
  ['xresnet50', xResNet50(10, { ...narrow, ...attentive, activation: mish }), [8, 3, 32, 32]],
  ['deeper', xResNet18Deeper(10, { ...narrower, smallImages: true }), [8, 3, 16, 16]],
]

test.each(networks)(
  '%s: outputs, gradients and eight steps are those of PyTorch',
  async (name, layer, shape) => {
    await expectAsInPyTorch(modelOf(layer, shape), ['narrow', name], 'diffGrad')
  },
)

const whole: readonly (readonly [string, Layer, readonly number[]])[] = [
  ['seresnet18', seResNet18(10), [8, 3, 32, 32]],
  [
    'xresnet50',
    xResNet50(10, { ...attentive, stem: [32, 32, 64], activation: mish }),
    [8, 3, 64, 64],
  ],
]

// `pnpm --filter @diffgrad/onnx networks`, which takes minutes.
const testWhole = test.runIf(process.env.FULL_WIDTH)

testWhole('deep: outputs, gradients and eight steps are those of PyTorch', async () => {
  const model = modelOf(xResNet18Deep(10, deep), [8, 3, 32, 32])
  await expectAsInPyTorch(model, ['narrow', 'deep'], 'diffGrad')
})

testWhole.each(whole)(
  '%s at full width: outputs, gradients and eight steps are those of PyTorch',
  async (name, layer, shape) => {
    const model = modelOf(layer, shape)
    await expectAsInPyTorch(model, ['full', name], 'diffGrad')
    await expectAsInPyTorch(model, ['full', name], 'adam')
  },
  600_000,
)
