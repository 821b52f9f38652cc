import {
  DiffGrad as ArraysDiffGrad,
  DiffMod as ArraysDiffMod,
  type ArraysOptimizer,
  Ranger as ArraysRanger,
} from '@diffgrad/arrays'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, DiffMod, Ranger } from '../../src/index.ts'
import { type Check, gradientsOf, lines, network, variablesOf } from './fixtures.ts'

const options = { learningRate: 0.02, weightDecay: 0.01 }

const elements = async (tensor: tf.Tensor): Promise<Float32Array> =>
  (await tensor.data<'float32'>()).slice()

const readAll = async (named: tf.NamedTensorMap): Promise<Record<string, Float32Array>> => {
  const entries = Object.entries(named).map(async ([name, t]) => [name, await elements(t)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

/** The result of a training of the network. */
interface Training {
  readonly losses: readonly number[]
  /**
   * The largest distance of a variable's element from that of typed arrays trained with the same
   * gradients, relative to max(|x|, 1); NaN without a reference.
   */
  readonly distance: number
}

async function train(
  steps: number,
  optimizer: tf.Optimizer,
  createReference?: (
    parameters: ConstructorParameters<typeof ArraysDiffGrad>[0],
  ) => ArraysOptimizer,
): Promise<Training> {
  const [model, batch] = [network(), lines()]
  const variables = Object.fromEntries(variablesOf(model).map((own) => [own.name, own]))
  const arrays = await readAll(variables)
  const reference = createReference?.(
    Object.entries(arrays).map(([name, values]) => {
      return [name, { values, shape: variables[name].shape }] as const
    }),
  )
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const { loss, gradients } = gradientsOf(model, batch)
    if (reference) reference.step(await readAll(gradients))
    optimizer.applyGradients(gradients)
    losses.push((await elements(loss))[0])
    tf.dispose([loss, gradients])
  }
  const results = await readAll(variables)
  const distances = Object.entries(results).flatMap(([name, values]) =>
    Array.from(values, (x, i) => Math.abs(x - arrays[name][i]) / Math.max(Math.abs(x), 1)),
  )
  optimizer.dispose()
  model.dispose()
  tf.dispose(batch)
  return { losses, distance: reference ? Math.max(...distances) : Number.NaN }
}

const on = async <R>(backend: string, compute: () => Promise<R>): Promise<R> => {
  const before = tf.getBackend()
  await tf.setBackend(backend)
  const result = await compute()
  await tf.setBackend(before)
  return result
}

/** Training of a whole network. */
export const trainingChecks: readonly Check[] = [
  {
    name: 'a convolutional network learns in 20 steps, as on the cpu backend and on typed arrays',
    async run() {
      const { losses, distance } = await train(20, new DiffGrad(options), (parameters) => {
        return new ArraysDiffGrad(parameters, options)
      })
      expect(distance).toBeLessThan(2e-5)
      expect(losses[19]).toBeLessThan(losses[0] / 4)
      const reference = await on('cpu', () => train(20, new DiffGrad(options)))
      for (const [t, loss] of losses.entries()) {
        expect(Math.abs(loss - reference.losses[t])).toBeLessThan(0.02 * losses[0])
      }
    },
  },
  {
    name: 'DiffMod and Ranger train its variables as typed arrays, too',
    async run() {
      const pairs = [
        [new DiffMod(options), (p) => new ArraysDiffMod(p, options)],
        [new Ranger(options), (p) => new ArraysRanger(p, options)],
      ] as const satisfies readonly (readonly [tf.Optimizer, Parameters<typeof train>[2]])[]
      for (const [optimizer, createReference] of pairs) {
        expect((await train(12, optimizer, createReference)).distance).toBeLessThan(2e-5)
      }
    },
  },
  {
    name: 'switching to the cpu backend and back does not change the training',
    backends: ['wasm', 'webgl'],
    async run() {
      const initial = tf.getBackend()
      const results: Float32Array[] = []
      for (const other of [initial, 'cpu']) {
        const own = tf.tidy(() => tf.variable(tf.linspace(-1, 1, 11)))
        const optimizer = new DiffGrad({ learningRate: 0.1, accumulate: 2 })
        const step = async (): Promise<void> => {
          const g = tf.square(own)
          optimizer.applyGradients({ [own.name]: g })
          g.dispose()
        }
        for (const backend of [initial, other, initial, other, other, initial, other])
          await on(backend, step)
        results.push(await elements(own))
        own.dispose()
        optimizer.dispose()
      }
      expectClose(results[1], results[0], { relative: 1e-5, absolute: 1e-5 })
    },
  },
]
