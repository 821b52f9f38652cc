import {
  DiffGrad as ArraysDiffGrad,
  DiffMod as ArraysDiffMod,
  type ArraysOptimizer,
  Ranger as ArraysRanger,
} from '@diffgrad/arrays'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, DiffMod, Ranger } from '../../src/index.ts'
import type { Fact } from './fact.ts'
import { gradientsOf, lines, network, variablesOf } from './network.ts'

const options = { learningRate: 0.01, weightDecay: 0.01 }

const elements = async (tensor: tf.Tensor): Promise<Float32Array> =>
  (await tensor.data<'float32'>()).slice()

const all = async (named: tf.NamedTensorMap): Promise<Record<string, Float32Array>> => {
  const entries = Object.entries(named).map(async ([name, t]) => [name, await elements(t)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

/** A training of the network, and what it left. */
interface Training {
  readonly losses: readonly number[]
  /** How far the variables are from where typed arrays are, given the same gradients. */
  readonly distance: number
}

async function train(
  steps: number,
  optimizer: tf.Optimizer,
  shadow?: (parameters: ConstructorParameters<typeof ArraysDiffGrad>[0]) => ArraysOptimizer,
): Promise<Training> {
  const [model, batch] = [network(), lines()]
  const variables = Object.fromEntries(variablesOf(model).map((own) => [own.name, own]))
  const arrays = await all(variables)
  const shadowing = shadow?.(
    Object.entries(arrays).map(([name, values]) => {
      return [name, { values, shape: variables[name].shape }] as const
    }),
  )
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const { loss, gradients } = gradientsOf(model, batch)
    if (shadowing) shadowing.step(await all(gradients))
    optimizer.applyGradients(gradients)
    losses.push((await elements(loss))[0])
    tf.dispose([loss, gradients])
  }
  const ends = await all(variables)
  const distances = Object.entries(ends).flatMap(([name, values]) =>
    Array.from(values, (x, i) => Math.abs(x - arrays[name][i]) / Math.max(Math.abs(x), 1)),
  )
  optimizer.dispose()
  model.dispose()
  tf.dispose(batch)
  return { losses, distance: shadowing ? Math.max(...distances) : Number.NaN }
}

const on = async <R>(backend: string, compute: () => Promise<R>): Promise<R> => {
  const before = tf.getBackend()
  await tf.setBackend(backend)
  const result = await compute()
  await tf.setBackend(before)
  return result
}

/** What training of a whole network shows, where a variable alone does not. */
export const training: readonly Fact[] = [
  {
    name: 'a convolutional network learns in 50 steps, as on the cpu backend and on typed arrays',
    async check() {
      const { losses, distance } = await train(50, new DiffGrad(options), (parameters) => {
        return new ArraysDiffGrad(parameters, options)
      })
      expect(distance).toBeLessThan(2e-5)
      expect(losses[49]).toBeLessThan(losses[0] / 4)
      const reference = await on('cpu', () => train(50, new DiffGrad(options)))
      for (const [t, loss] of losses.entries()) {
        expect(Math.abs(loss - reference.losses[t])).toBeLessThan(0.02 * losses[0])
      }
    },
  },
  {
    name: 'with DiffMod and Ranger, too, its variables go where typed arrays go',
    async check() {
      const pairs = [
        [new DiffMod(options), (p) => new ArraysDiffMod(p, options)],
        [new Ranger(options), (p) => new ArraysRanger(p, options)],
      ] as const satisfies readonly (readonly [tf.Optimizer, Parameters<typeof train>[2]])[]
      for (const [optimizer, shadow] of pairs) {
        expect((await train(15, optimizer, shadow)).distance).toBeLessThan(2e-5)
      }
    },
  },
  {
    name: 'a training that goes over to the cpu backend, and back, ends where one ends that stays',
    on: ['wasm', 'webgl'],
    async check() {
      const home = tf.getBackend()
      const ends: Float32Array[] = []
      for (const other of [home, 'cpu']) {
        const own = tf.tidy(() => tf.variable(tf.linspace(-1, 1, 11)))
        const optimizer = new DiffGrad({ learningRate: 0.1, accumulate: 2 })
        const step = async (): Promise<void> => {
          const g = tf.square(own)
          optimizer.applyGradients({ [own.name]: g })
          g.dispose()
        }
        for (const backend of [home, other, home, other, other, home, other])
          await on(backend, step)
        ends.push(await elements(own))
        own.dispose()
        optimizer.dispose()
      }
      for (const [i, x] of ends[1].entries()) expect(x).toBeCloseTo(ends[0][i], 5)
    },
  },
]
