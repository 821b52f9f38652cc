import { type Histogram, histogram } from '@diffgrad/core'
import { writeModel } from '@diffgrad/onnx'
import { differentiate, Network } from '@diffgrad/onnx-tfjs'
import { readCheckpoint, writeCheckpoint } from '@diffgrad/onnxruntime'
import { RuleOptimizer, type TensorGradients } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { Divergence } from '../../failure.ts'
import type { Engine, Recipe } from '../engine.ts'
import { agreement } from '../largest.ts'
import { useBackend } from './backend.ts'
import { readWeights, shapesOf, withWeights, writeWeights } from './weights.ts'

/** Computes on TensorFlow.js, on the backend that is there. */
export async function tfjsEngine({ model, frozen, optimizer, size }: Recipe): Promise<Engine> {
  await useBackend()
  const { rule, ...options } = optimizer
  const update = new RuleOptimizer(rule, options)
  const network = new Network(model, frozen)
  update.bind([...network.parameters.values()])
  const [[{ name: input }], [{ name: output }]] = [model.inputs, model.outputs]
  const shaped = (images: Float32Array): tf.NamedTensorMap => ({
    [input]: tf.tensor(images, [images.length / (3 * size * size), 3, size, size]),
  })
  /** Takes the weights that are judged and exported. */
  const averaged = async <T>(use: () => Promise<T>): Promise<T> => {
    if (!options.ema) return use()
    update.swapEma()
    try {
      return await use()
    } finally {
      update.swapEma()
    }
  }
  return {
    async step({ images, targets }, edges) {
      // −Σ q·log p, averaged over the pictures.
      const found = differentiate(
        network,
        () => shaped(images),
        ({ [output]: logits }) =>
          tf.losses.softmaxCrossEntropy(tf.tensor(targets, logits.shape), logits),
      )
      try {
        const [loss] = await found.loss.data()
        if (!options.skipNotFinite) await mustBeFinite(loss, found.next)
        const logits = found.outputs[output]
        const accuracy = agreement(await logits.data(), targets, logits.shape[0])
        const friction = edges && (await frictionOf(update, found.gradients, edges))
        if (update.applyGradients(found.gradients) !== 'skipped')
          for (const [name, tensor] of Object.entries(found.next))
            network.statistics.get(name)?.assign(tensor)
        return { loss, accuracy, ...(friction && { friction }) }
      } finally {
        tf.dispose({ ...found })
      }
    },
    predict: (images) =>
      averaged(async () => {
        const logits = tf.tidy(() => network.run(shaped(images), false).outputs[output])
        const data = (await logits.data<'float32'>()).slice()
        logits.dispose()
        return data
      }),
    report: async (loss) => update.report(loss),
    save: async (notes) => {
      const weights = await readWeights(network)
      return writeCheckpoint({ weights, optimizer: await update.stateDict(), notes })
    },
    load: async (checkpoint) => {
      const { weights, optimizer, notes } = readCheckpoint(checkpoint, shapesOf(network))
      update.loadStateDict(optimizer)
      writeWeights(network, weights)
      return notes
    },
    export: () => averaged(async () => writeModel(withWeights(model, await readWeights(network)))),
    async dispose() {
      update.dispose()
      network.dispose()
    },
  }
}

/**
 * On the wasm backend, activations make 0 of NaN, so that the loss alone does not tell.
 *
 * @throws {Divergence} Naming what is not finite.
 */
async function mustBeFinite(loss: number, statistics: tf.NamedTensorMap): Promise<void> {
  const all = [tf.tensor1d([loss]), ...Object.values(statistics)]
  const sum = tf.tidy(() => tf.sum(tf.concat(all)))
  const [total] = await sum.data()
  tf.dispose([sum, all[0]])
  if (Number.isFinite(total)) return
  const what = Number.isFinite(loss) ? 'sum of running statistics' : 'loss'
  throw new Divergence(`the ${what} must be finite, but is ${total}; the weights are as before`)
}

/** ξ of every trained parameter, counted between edges. */
async function frictionOf(
  update: RuleOptimizer,
  gradients: TensorGradients,
  edges: readonly number[],
): Promise<Histogram> {
  const { xi } = await update.inspect(gradients)
  const all = function* (): Iterable<number> {
    for (const values of Object.values(xi)) yield* values
  }
  return histogram(all(), edges)
}
