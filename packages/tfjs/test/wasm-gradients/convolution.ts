import * as tf from '@tensorflow/tfjs'

/** A convolution, dense or depthwise, and the sizes of what it works on. */
export interface Case {
  readonly depthwise: boolean
  readonly batch: number
  readonly image: readonly [height: number, width: number]
  readonly filter: readonly [height: number, width: number]
  /** Of the input, and either of the output or for each of the input. */
  readonly channels: readonly [number, number]
  readonly strides: [number, number]
  readonly dilations: [number, number]
  readonly pad: 'same' | 'valid' | tf.backend_util.ExplicitPadding
}

export const nameOf = ({ depthwise, image, filter, channels, strides, dilations, pad }: Case) =>
  `${depthwise ? 'depthwise ' : ''}${filter.join('×')} on ${image.join('×')}, channels ${channels}, ` +
  `strides ${strides}, dilations ${dilations}, pad ${JSON.stringify(pad)}`

/** Gradients of a sum of the outputs, each with a weight of its own. */
interface Gradients {
  readonly x: Float32Array
  readonly w: Float32Array
}

/** The gradients of a convolution on a backend. No tensor of it is left. */
export async function gradientsOn(backend: 'cpu' | 'wasm', it: Case): Promise<Gradients> {
  await tf.setBackend(backend)
  const before = tf.backend().numDataIds()
  const image = [it.batch, ...it.image, it.channels[0]] as const
  const filter = [...it.filter, ...it.channels] as const
  const x = tf.randomNormal([...image], 0, 1, 'float32', 1)
  const w = tf.randomNormal([...filter], 0, 1, 'float32', 2)
  const convolve = it.depthwise ? tf.depthwiseConv2d : tf.conv2d
  const outputs = (x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor4D =>
    // The cpu backend's gradients know no dilations, but a filter with zeros between its weights.
    backend === 'cpu'
      ? convolve(x, spread(w, it.dilations), it.strides, it.pad)
      : convolve(x, w, it.strides, it.pad, 'NHWC', it.dilations)
  const gradients = tf.grads((x, w) => {
    const y = outputs(x.as4D(...image), w.as4D(...filter))
    return tf.sum(tf.mul(y, tf.randomNormal(y.shape, 0, 1, 'float32', 3)))
  })([x, w])
  const [dx, dw] = await Promise.all(gradients.map((gradient) => gradient.data()))
  tf.dispose([x, w, gradients])
  if (tf.backend().numDataIds() !== before) throw new Error(`${nameOf(it)}: data is left`)
  return { x: Float32Array.from(dx), w: Float32Array.from(dw) }
}

/** A filter with zeros between its weights, by which a dilated convolution is an ordinary one. */
function spread(w: tf.Tensor4D, [tall, wide]: readonly [number, number]): tf.Tensor4D {
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

/** The largest difference, relative to the largest number. */
export function distance(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) / (largest || 1)
}
