import '@tensorflow/tfjs-backend-wasm'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'

registerWasmGradients()
beforeAll(async () => {
  await tf.setBackend('wasm')
})

const image = (shape: number[], dtype: tf.DataType = 'float32'): tf.Tensor => tf.ones(shape, dtype)

/** Runs a kernel, and expects it to leak no tensor even if it throws. */
function run(name: string, inputs: tf.NamedTensorMap, attributes: object): unknown {
  const { numTensors, numBytes } = tf.memory()
  try {
    return tf.engine().runKernel(name, inputs, { strides: 1, pad: 'same', ...attributes })
  } finally {
    expect(tf.memory()).toMatchObject({ numTensors, numBytes })
    tf.dispose(Object.values(inputs))
  }
}

const filterAttributes = { filterShape: [3, 3, 2, 4] }

test('unsupported arguments are refused by the name of the kernel', () => {
  expect(() =>
    run(
      'Conv2DBackpropFilter',
      { x: image([1, 2, 8, 8]), dy: image([1, 4, 8, 8]) },
      { ...filterAttributes, dataFormat: 'NCHW' },
    ),
  ).toThrow('Conv2DBackpropFilter on wasm: dataFormat must be NHWC, but is NCHW')
  expect(() =>
    run(
      'Conv2DBackpropFilter',
      { x: image([1, 8, 8, 2], 'int32'), dy: image([1, 8, 8, 4]) },
      filterAttributes,
    ),
  ).toThrow('Conv2DBackpropFilter on wasm: x must be of type float32, but is int32')
  expect(() =>
    run('UnsortedSegmentSum', { x: image([3, 2]), segmentIds: image([2], 'int32') }, {}),
  ).toThrow(
    'UnsortedSegmentSum on wasm: the shape of segmentIds must begin that of x, [3,2], but is [2]',
  )
})

test('shapes that do not fit are refused: the kernel would access memory of other tensors', () => {
  expect(() =>
    run(
      'Conv2DBackpropFilter',
      { x: image([1, 8, 8, 2]), dy: image([2, 8, 8, 4]) },
      filterAttributes,
    ),
  ).toThrow('Conv2DBackpropFilter on wasm: the batch of dy must be 1, but is 2')
  expect(() =>
    run(
      'DepthwiseConv2dNativeBackpropInput',
      { filter: image([3, 3, 2, 2]), dy: image([1, 8, 8, 3]) },
      { inputShape: [1, 8, 8, 2] },
    ),
  ).toThrow(
    'DepthwiseConv2dNativeBackpropInput on wasm: the number of channels of dy must be 4, but is 3',
  )
  expect(() =>
    run(
      'Conv2DBackpropInput',
      { filter: image([3, 3, 2, 4]), dy: image([1, 8, 8, 4]) },
      { inputShape: [1, 8, 8, 3] },
    ),
  ).toThrow('Conv2DBackpropInput on wasm: the number of channels of the input must be 2, but is 3')
})

test('second gradients are refused for dilated convolutions only', async () => {
  const w = tf.randomNormal<tf.Rank.R4>([3, 3, 1, 1], 0, 1, 'float32', testSeed(1))
  const second = (dilations: number): tf.Tensor =>
    tf.grad((x) => {
      const image = tf.reshape<tf.Rank.R4>(x, [1, 8, 8, 1])
      const dx = tf.grad((x) =>
        tf.square(tf.conv2d(x.as4D(1, 8, 8, 1), w, 1, 'same', 'NHWC', dilations)),
      )
      return tf.sum(tf.square(dx(image)))
    })(tf.ones([64]))
  expect(() => second(2)).toThrow(
    'Conv2DBackpropInput on wasm: dilated convolutions have no second gradient',
  )
  const wasm = await second(1).data()
  await tf.setBackend('cpu')
  const cpu = await second(1).data()
  await tf.setBackend('wasm')
  expectClose(wasm, cpu, { relative: 1e-4 })
})
