import { Adam, DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { type BenchmarkNetwork, networks, variableSets } from './workloads.ts'

/** Optimizers by name. The others are compared with the first. */
export const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  'tf.train.adam': () => tf.train.adam(1e-3),
  Adam: () => new Adam({ learningRate: 1e-3 }),
  diffGrad: () => new DiffGrad({ learningRate: 1e-3 }),
}

/** One optimizer on one workload. */
export interface Stepper {
  /** Takes one step. On some backends it only issues the work. */
  step(): unknown
  /** Resolves when all steps are done. */
  finish(): Promise<unknown>
}

/** Creates steps of an optimizer alone, or whole train steps, depending on the workload. */
export function createStepper(optimizer: string, workload: string): Stepper {
  const instance = optimizers[optimizer]()
  const variables = variableSets.find(({ name }) => name === workload)
  if (variables) return optimizerSteps(instance, variables.shapes)
  const network = networks.find(({ name }) => name === workload)
  if (network) return trainSteps(instance, network)
  throw new RangeError(`there is no workload ${workload}`)
}

function optimizerSteps(optimizer: tf.Optimizer, shapes: readonly (readonly number[])[]): Stepper {
  const variables: tf.Variable[] = []
  const gradients = shapes.map((shape, i) => {
    const initial = tf.randomNormal([...shape], 0, 1, 'float32', i + 1)
    const variable = tf.variable(initial)
    variables.push(variable)
    return { name: variable.name, tensor: tf.mul(0.01, initial) }
  })
  return {
    step: () => optimizer.applyGradients(gradients),
    finish: () => Promise.all(variables.slice(-1).map((variable) => variable.data())),
  }
}

function trainSteps(optimizer: tf.Optimizer, { layers, batch, size }: BenchmarkNetwork): Stepper {
  const model = tf.sequential({ layers: layers() })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  const images = tf.randomNormal([batch, size, size, 1], 0, 1, 'float32', 1)
  const classes = tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  )
  const labels = tf.oneHot(classes, 10)
  return { step: () => model.trainOnBatch(images, labels), finish: async () => undefined }
}

/** Measures the milliseconds per step. */
export async function timeSteps({ step, finish }: Stepper, steps: number): Promise<number> {
  const start = performance.now()
  for (let k = 0; k < steps; k++) await step()
  await finish()
  return (performance.now() - start) / steps
}
