import '@tensorflow/tfjs-backend-wasm'
import { testSeed } from '@diffgrad/testing/seed'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { type BackendName, expectSameSums, onBoth } from './backends.ts'

registerWasmGradients()

/** A convolution, dense or depthwise, and the sizes of its operands. */
interface Convolution {
  readonly depthwise: boolean
  readonly batch: number
  readonly image: readonly [height: number, width: number]
  readonly filter: readonly [height: number, width: number]
  /** Input channels, and output channels (dense) or channels per input channel (depthwise). */
  readonly channels: readonly [number, number]
  readonly strides: [number, number]
  readonly dilations: [number, number]
  readonly pad: 'same' | 'valid' | tf.backend_util.ExplicitPadding
}

/** The gradients of a randomly weighted sum of the outputs. Throws if data is left on the backend. */
async function gradients(backend: BackendName, convolution: Convolution) {
  const { batch, channels, strides, dilations, pad } = convolution
  const before = tf.backend().numDataIds()
  const image = [batch, ...convolution.image, channels[0]] as const
  const filter = [...convolution.filter, ...channels] as const
  const x = tf.randomNormal([...image], 0, 1, 'float32', testSeed(1))
  const w = tf.randomNormal([...filter], 0, 1, 'float32', testSeed(2))
  const convolve = convolution.depthwise ? tf.depthwiseConv2d : tf.conv2d
  const outputs = (x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor4D =>
    // The cpu backend's gradients ignore dilations, so it gets a filter with zeros between its weights.
    backend === 'cpu'
      ? convolve(x, dilate(w, dilations), strides, pad)
      : convolve(x, w, strides, pad, 'NHWC', dilations)
  const tensors = tf.grads((x, w) => {
    const y = outputs(x.as4D(...image), w.as4D(...filter))
    return tf.sum(tf.mul(y, tf.randomNormal(y.shape, 0, 1, 'float32', testSeed(3))))
  })([x, w])
  const [dx, dw] = await Promise.all(tensors.map((gradient) => gradient.data()))
  tf.dispose([x, w, tensors])
  if (tf.backend().numDataIds() !== before) throw new Error('data is left on the backend')
  return { x: Float32Array.from(dx), w: Float32Array.from(dw) }
}

/** Inserts zeros between the weights of a filter, which makes a dilated convolution an ordinary one. */
function dilate(w: tf.Tensor4D, [tall, wide]: readonly [number, number]): tf.Tensor4D {
  const [height, width, inputs, outputs] = w.shape
  const cells = tf.reshape(w, [height, 1, width, 1, inputs * outputs])
  const padded = tf.pad(cells, [
    [0, 0],
    [0, tall - 1],
    [0, 0],
    [0, wide - 1],
    [0, 0],
  ])
  const image = tf.reshape<tf.Rank.R4>(padded, [height * tall, width * wide, inputs, outputs])
  const size = [height * tall - tall + 1, width * wide - wide + 1, inputs, outputs]
  return tf.slice(image, [0, 0, 0, 0], size)
}

async function expectGradientsOfCpu(convolution: Convolution): Promise<void> {
  const { wasm, cpu } = await onBoth((backend) => gradients(backend, convolution))
  // Sums of hundreds of products of standard normal numbers.
  expectSameSums(wasm.x, cpu.x, 10)
  expectSameSums(wasm.w, cpu.w, 10)
}

const steps = [
  { strides: [1, 1], dilations: [1, 1] },
  { strides: [2, 2], dilations: [1, 1] },
  { strides: [3, 2], dilations: [1, 1] },
  { strides: [1, 1], dilations: [2, 2] },
  { strides: [1, 1], dilations: [1, 3] },
] satisfies Partial<Convolution>[]

const pads = [
  'same',
  'valid',
  [
    [0, 0],
    [3, 1],
    [0, 2],
    [0, 0],
  ],
] satisfies Convolution['pad'][]

const grid = [1, 2, 3, 4, 5, 7].flatMap((size) =>
  steps.flatMap((step) => pads.map((pad) => ({ ...step, pad, size }))),
)

describe.each([
  { depthwise: false, channels: [3, 13] },
  { depthwise: true, channels: [6, 1] },
  { depthwise: true, channels: [3, 2] },
] satisfies Partial<Convolution>[])('gradients equal those of the cpu backend: %o', (kind) => {
  test.each(grid)('$size×$size, strides $strides, dilations $dilations, pad $pad', async (row) => {
    const { size, strides, dilations, pad } = row
    const reach = Math.max(...dilations) * (size - 1) + 1
    const image = [reach + 3, reach + 4] as const
    const filter = [size, size] as const
    await expectGradientsOfCpu({ ...kind, batch: 2, image, filter, strides, dilations, pad })
  })
})

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const pair = (of: fc.Arbitrary<number>): fc.Arbitrary<[number, number]> => fc.tuple(of, of)
const explicit = fc
  .tuple(pair(fc.nat(4)), pair(fc.nat(4)))
  .map(([tall, wide]): Convolution['pad'] => [[0, 0], tall, wide, [0, 0]])

const convolutions: fc.Arbitrary<Convolution> = fc
  .record({
    depthwise: fc.boolean(),
    batch: size(3),
    image: pair(size(9)),
    filter: pair(size(7)),
    channels: pair(size(10)),
    steps: fc.oneof(
      pair(size(4)).map((strides) => ({ strides, dilations: [1, 1] as [number, number] })),
      pair(size(3)).map((dilations) => ({ strides: [1, 1] as [number, number], dilations })),
    ),
    pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), explicit),
  })
  .map(({ steps, ...rest }) => ({ ...rest, ...steps }))
  .filter(({ image, filter, dilations, pad }) =>
    image.every((pixels, axis) => {
      const padding = typeof pad === 'string' ? 0 : pad[axis + 1][0] + pad[axis + 1][1]
      return pad === 'same' || pixels + padding > (filter[axis] - 1) * dilations[axis]
    }),
  )

test('gradients of any convolution equal those of the cpu backend', async () => {
  await fc.assert(fc.asyncProperty(convolutions, expectGradientsOfCpu), { numRuns: 200 })
})

test.each([1, 3, 5])(
  'sums over many pixels are as exact: filters %s pixels wide and tall',
  async (size) => {
    await expectGradientsOfCpu({
      depthwise: false,
      batch: 16,
      image: [40, 40],
      filter: [size, size],
      channels: [2, 4],
      strides: [1, 1],
      dilations: [1, 1],
      pad: 'same',
    })
  },
)
