import type { Model, Tensor } from '@diffgrad/onnx'
import type { Network } from '@diffgrad/onnx-tfjs'
import type { Checkpoint } from '@diffgrad/onnxruntime'
import * as tf from '@tensorflow/tfjs'

type Weights = Checkpoint['weights']

/** The weights that a training changes. */
export async function readWeights(network: Network): Promise<Weights> {
  const entries = [...network.changing].map(async ([name, variable]) => {
    return [
      name,
      { shape: variable.shape, data: (await variable.data<'float32'>()).slice() },
    ] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** The shapes of the weights that a training changes. */
export const shapesOf = ({ changing }: Network): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries([...changing].map(([name, { shape }]) => [name, shape]))

/** Goes back to weights that fit. */
export function writeWeights({ changing }: Network, weights: Weights): void {
  for (const [name, variable] of changing)
    tf.tidy(() => variable.assign(tf.tensor(weights[name].data, variable.shape)))
}

/** A model with its weights replaced. */
export function withWeights(model: Model, weights: Weights): Model {
  const trained = Object.entries(weights).map(([name, { shape, data }]): [string, Tensor] => [
    name,
    { type: 'float32', shape, data },
  ])
  return { ...model, initializers: new Map([...model.initializers, ...trained]) }
}
