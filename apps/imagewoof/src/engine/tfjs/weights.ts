import type { Model, Tensor } from '@diffgrad/onnx'
import type { Network } from '@diffgrad/onnx-tfjs'
import type { Checkpoint } from '@diffgrad/onnxruntime'
import * as tf from '@tensorflow/tfjs'
import { Failure } from '../../failure.ts'

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

/** @throws {Failure} Naming the first weight that is another network's. */
export function mustFit({ changing }: Network, weights: Weights): void {
  for (const [name, { shape }] of changing) {
    const is = weights[name] ? `[${weights[name].shape}]` : 'missing'
    if (is !== `[${shape}]`)
      throw new Failure(`checkpoint: "${name}" must be [${shape}], but is ${is}`)
  }
  const surplus = Object.keys(weights).find((name) => !changing.has(name))
  if (surplus !== undefined)
    throw new Failure(`checkpoint: has "${surplus}", which the model has not, or not trained`)
}

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
