import { Adam, DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { networks, variables } from './workloads.ts'

/** Optimizers by name; the first is the one that the others are compared to. */
export const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  'tf.train.adam': () => tf.train.adam(1e-3),
  Adam: () => new Adam({ learningRate: 1e-3 }),
  diffGrad: () => new DiffGrad({ learningRate: 1e-3 }),
}

/** One optimizer on one workload. */
export interface Contender {
  /** Takes one step; some backends only begin to. */
  step(): unknown
  /** Waits until all steps are done. */
  settle(): Promise<unknown>
}

/** Steps of an optimizer alone, given gradients, or whole train steps. */
export function contenderOf(optimizer: string, workload: string): Contender {
  const chosen = optimizers[optimizer]()
  const moved = variables.find(({ name }) => name === workload)
  if (moved) return stepping(chosen, moved.shapes)
  const network = networks.find(({ name }) => name === workload)
  if (network) return training(chosen, network)
  throw new RangeError(`there is no workload ${workload}`)
}

function stepping(optimizer: tf.Optimizer, shapes: readonly (readonly number[])[]): Contender {
  const made = shapes.map((shape, i) => {
    const start = tf.randomNormal([...shape], 0, 1, 'float32', i + 1)
    return { variable: tf.variable(start), gradient: tf.mul(0.01, start) }
  })
  const gradients = made.map(({ variable, gradient }) => ({
    name: variable.name,
    tensor: gradient,
  }))
  return {
    step: () => optimizer.applyGradients(gradients),
    settle: () => Promise.all(made.slice(-1).map(({ variable }) => variable.data())),
  }
}

function training(
  optimizer: tf.Optimizer,
  { layers, batch, size }: (typeof networks)[number],
): Contender {
  const model = tf.sequential({ layers: layers() })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  const images = tf.randomNormal([batch, size, size, 1], 0, 1, 'float32', 1)
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % 10),
      'int32',
    ),
    10,
  )
  return { step: () => model.trainOnBatch(images, labels), settle: async () => undefined }
}

/** Milliseconds that one of several steps took. */
export async function timed({ step, settle }: Contender, steps: number): Promise<number> {
  const start = performance.now()
  for (let k = 0; k < steps; k++) await step()
  await settle()
  return (performance.now() - start) / steps
}
