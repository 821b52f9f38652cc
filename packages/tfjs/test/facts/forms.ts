import { defineRule } from '@diffgrad/core'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, DiffMod, RuleOptimizer } from '../../src/index.ts'
import type { Fact } from './fact.ts'
import { lines, network, variablesOf } from './network.ts'

const variable = (values: number[], name?: string): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor1d(values), true, name))

/** Where a variable that starts at 1, 2 is after three steps. */
async function after(step: (optimizer: DiffGrad, x: tf.Variable, idle: tf.Variable) => void) {
  const [x, idle] = [variable([1, 2]), variable([5])]
  const optimizer = new DiffGrad({ learningRate: 0.1 })
  for (let t = 0; t < 3; t++) step(optimizer, x, idle)
  const end = [...(await x.data()), ...(await idle.data())]
  tf.dispose([x, idle])
  optimizer.dispose()
  return end
}

const square = (x: tf.Variable) => () => tf.sum(tf.square(x)).asScalar()

/** All the ways in which gradients reach an optimizer. */
export const forms: readonly Fact[] = [
  {
    name: 'minimize, a map and a list of gradients, with or without nulls, do the same',
    async check() {
      const gradient = (x: tf.Variable) => tf.tidy(() => tf.mul(x, 2))
      const ends = [
        await after((optimizer, x) => void optimizer.minimize(square(x), false, [x])),
        await after((optimizer, x) => void optimizer.minimize(square(x), true)?.dispose()),
        await after((optimizer, x) => {
          const g = gradient(x)
          optimizer.applyGradients({ [x.name]: g })
          g.dispose()
        }),
        await after((optimizer, x, idle) => {
          const g = gradient(x)
          // TensorFlow.js hands over nulls for variables that do not matter, which its types deny.
          const nothing = null as unknown as tf.Tensor
          optimizer.applyGradients([
            { name: idle.name, tensor: nothing },
            { name: x.name, tensor: g },
          ])
          g.dispose()
        }),
      ]
      for (const end of ends) expect(end).toEqual(ends[0])
      expect(ends[0][2]).toBe(5)
      expect(ends[0][0]).toBeLessThan(0.95)
    },
  },
  {
    name: 'a layer can be frozen, and thawed, and keeps its memory meanwhile',
    async check() {
      const model = network()
      const { xs, ys } = lines()
      const optimizer = new DiffGrad({ learningRate: 0.01 })
      const [kernel] = variablesOf(model)
      const dense = variablesOf(model).at(-2)
      const fit = async (trainable: boolean): Promise<number> => {
        model.layers[0].trainable = trainable
        model.compile({ optimizer, loss: 'meanSquaredError' })
        await model.fit(xs, ys, { epochs: 2, batchSize: 8, verbose: 0 })
        return tf.memory().numTensors
      }
      const tensors = await fit(false)
      expect(Object.keys((await optimizer.stateDict()).parameters)).not.toContain(kernel.name)
      const withKernel = await fit(true)
      expect(withKernel).toBe(tensors + 6) // Three of the kernel, three of the bias.
      expect(await fit(false)).toBe(withKernel)
      expect(await fit(true)).toBe(withKernel)
      const { parameters } = await optimizer.stateDict()
      expect(parameters[kernel.name].step).toBe(8)
      expect(parameters[dense?.name ?? ''].step).toBe(16)
      optimizer.dispose()
      model.dispose()
      tf.dispose([xs, ys])
    },
  },
  {
    name: 'settings can be changed on the way, those of variables to come included',
    async check() {
      const [x, y] = [variable([1], 'x'), variable([1], 'y')]
      const optimizer = new DiffGrad({ groups: [{ parameters: ['y'], weightDecay: 0.5 }] })
      optimizer.setLearningRate(0.25)
      optimizer.minimize(square(x), false, [x])
      expect(optimizer.hyperparameters('x').learningRate).toBe(0.25)
      optimizer.setLearningRate(0.5)
      optimizer.minimize(square(y), false, [y])
      expect(optimizer.hyperparameters('y')).toMatchObject({ learningRate: 0.5, weightDecay: 0.5 })
      expect(optimizer.hyperparameters('x')).toMatchObject({ learningRate: 0.5, weightDecay: 0 })
      optimizer.set({ learningRate: 0.125 }, /x/)
      const again = DiffGrad.fromConfig<DiffGrad>(DiffGrad, optimizer.getConfig())
      again.bind([x, y])
      expect(again.hyperparameters('x')).toEqual(optimizer.hyperparameters('x'))
      expect(again.hyperparameters('y')).toEqual(optimizer.hyperparameters('y'))
      optimizer.dispose()
      again.dispose()
      tf.dispose([x, y])
    },
  },
  {
    name: 'ε is larger by default where textures have 16 bits, and nowhere else',
    on: ['webgl'],
    async check() {
      const flag = 'WEBGL_RENDER_FLOAT32_ENABLED'
      const epsilon = (float32: boolean, options = {}): number => {
        tf.env().set(flag, float32)
        const [x, optimizer] = [variable([1]), new DiffGrad(options)]
        optimizer.bind([x])
        const { epsilon } = optimizer.hyperparameters(x.name)
        optimizer.dispose()
        x.dispose()
        return epsilon
      }
      const before = tf.env().getBool(flag)
      const found = [epsilon(true), epsilon(false), epsilon(false, { epsilon: 1e-6 })]
      tf.env().set(flag, before)
      expect(found).toEqual([1e-8, 1e-4, 1e-6])
    },
  },
  {
    name: 'a rule of more arrays than a device can bind runs all the same',
    async check() {
      const slots = Array.from({ length: 9 }, (_, k) => `s${k}`)
      const sums = defineRule({
        name: 'sums',
        defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
        stateNames: () => slots,
        coefficients: () => ({}),
        update({ add }, { g, ...memory }) {
          const next = slots.map((slot) => [slot, add(g, memory[slot])])
          return { step: g, ...Object.fromEntries(next) }
        },
      })
      const [x, optimizer] = [variable([5, 6, 7]), new RuleOptimizer(sums)]
      for (const g of [1, 2]) {
        const gradient = tf.fill([3], g)
        optimizer.applyGradients({ [x.name]: gradient })
        gradient.dispose()
      }
      expect([...(await x.data())]).toEqual([2, 3, 4])
      const { state: memory } = (await optimizer.stateDict()).parameters[x.name]
      for (const slot of slots) expect([...memory[slot]]).toEqual([3, 3, 3])
      optimizer.dispose()
      x.dispose()
    },
  },
  {
    name: 'NaN stays NaN, also where it is compared, and stays where it is',
    async check() {
      for (const Rule of [DiffGrad, DiffMod]) {
        const x = variable(new Array(11).fill(1))
        const optimizer = new Rule({ clip: { by: 'value', limit: 0.5 } })
        const gradient = tf.tensor1d(
          Array.from({ length: 11 }, (_, i) => (i === 7 ? Number.NaN : 1)),
        )
        for (let t = 0; t < 3; t++) optimizer.applyGradients({ [x.name]: gradient })
        const found = [...(await x.data())].map(Number.isNaN)
        expect(found).toEqual(found.map((_, i) => i === 7))
        optimizer.dispose()
        tf.dispose([x, gradient])
      }
    },
  },
]
