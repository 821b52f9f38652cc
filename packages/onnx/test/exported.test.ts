import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import type { DifferentiateOptions } from '../src/differentiate.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { literal } from '../src/ir/lowering.ts'
import { crossEntropy } from '../src/losses/cross-entropy.ts'
import { meanSquaredError } from '../src/losses/elementwise.ts'
import { readModel } from '../src/model/read.ts'
import { norm, relativeError } from './closeness.ts'
import { fixture } from './file.ts'
import { fed, floats, session } from './runtime.ts'

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

/** Runs the gradient model of an exported one, and gives how far each gradient is from PyTorch's. */
async function errors(
  name: string,
  options: DifferentiateOptions,
): Promise<ReadonlyMap<string, number>> {
  const {
    inputs: given,
    target,
    modes,
  }: Golden = JSON.parse(new TextDecoder().decode(fixture(`${name}.json`)))
  const golden = modes[options.mode ?? 'train']
  if (golden === undefined) throw new TypeError(`${name} must have golden data for the mode`)
  const { model, loss, parameters, statistics } = gradientModel(
    readModel(fixture(`${name}.onnx`), fixture),
    options,
  )
  const inputs = Object.entries({ ...given, target })
  const weights = [...parameters, ...statistics].map(
    ([parameter, { initial }]) => [parameter, fed(initial)] as const,
  )
  const running = await session(model)
  const results = await running.run({
    ...Object.fromEntries(inputs.map(([input, packed]) => [input, unpack(packed)])),
    ...Object.fromEntries(weights),
  })
  expect(new Set(parameters.keys())).toEqual(new Set(Object.keys(golden.gradients)))
  const packedGradients = Object.values(golden.gradients).map(numbers)
  const whole = norm(packedGradients.map(norm))
  /** A gradient that would be zero but for rounding is compared with the whole of all gradients. */
  const against = (output: string, packed: Packed): number => {
    const [found, wanted] = [floats(results, output), numbers(packed)]
    const none = norm(wanted) < 1e-9 * whole
    return none ? norm(found) / whole : relativeError(found, wanted)
  }
  return new Map([
    ['loss', relativeError(floats(results, loss), [golden.loss])],
    ['output', against('logits', golden.output)],
    ...Object.entries(golden.gradients).map(([parameter, packed]) => {
      const { gradient } = parameters.get(parameter) ?? { gradient: '' }
      return [parameter, against(gradient, packed)] as const
    }),
  ])
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
  '%s, exported by PyTorch: every gradient is PyTorch’s, to %s',
  async (name, mode, options) => {
    for (const [value, error] of await errors(name, { ...options, mode }))
      expect(error, value).toBeLessThan(1e-5)
  },
)

test.each(models)(
  '%s: so it is in the most literal formulation, to %s',
  async (name, mode, options) => {
    for (const [value, error] of await errors(name, { ...options, mode, lowering: literal }))
      expect(error, value).toBeLessThan(1e-5)
  },
)

test.each(models)('%s: so it is in plain operators, to %s', async (name, mode, options) => {
  const lowering = { operators: 'plain', weightGradient: 'taps', imageGradient: 'flipped' } as const
  for (const [value, error] of await errors(name, { ...options, mode, lowering }))
    expect(error, value).toBeLessThan(1e-5)
})
