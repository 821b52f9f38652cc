import { defineRule } from '@diffgrad/core'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, DiffGradNorm, DiffMod, RuleOptimizer } from '../../src/index.ts'
import { type Check, lines, network, variablesOf } from './fixtures.ts'

const variable = (values: number[], name?: string): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor1d(values), true, name))

/** The elements of a variable that starts at 1, 2, and of an idle one, after three steps. */
async function afterThreeSteps(
  step: (optimizer: DiffGrad, x: tf.Variable, idle: tf.Variable) => void,
) {
  const [x, idle] = [variable([1, 2]), variable([5])]
  const optimizer = new DiffGrad({ learningRate: 0.1 })
  for (let t = 0; t < 3; t++) step(optimizer, x, idle)
  const end = [...(await x.data()), ...(await idle.data())]
  tf.dispose([x, idle])
  optimizer.dispose()
  return end
}

const square = (x: tf.Variable) => () => tf.sum(tf.square(x)).asScalar()

/** Inputs of every kind: gradients, frozen layers, options, devices, rules, numbers. */
export const behaviourChecks: readonly Check[] = [
  {
    name: 'minimize, and gradients in a map or a list, with or without nulls, have the same effect',
    async run() {
      const gradient = (x: tf.Variable) => tf.tidy(() => tf.mul(x, 2))
      const ends = [
        await afterThreeSteps((optimizer, x) => void optimizer.minimize(square(x), false, [x])),
        await afterThreeSteps(
          (optimizer, x) => void optimizer.minimize(square(x), true)?.dispose(),
        ),
        await afterThreeSteps((optimizer, x) => {
          const g = gradient(x)
          optimizer.applyGradients({ [x.name]: g })
          g.dispose()
        }),
        await afterThreeSteps((optimizer, x, idle) => {
          const g = gradient(x)
          // TensorFlow.js passes null for variables that the loss does not depend on; its types deny that.
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
    name: 'a layer keeps its state while it is frozen',
    async run() {
      const model = network()
      const { xs, ys } = lines()
      const optimizer = new DiffGrad({ learningRate: 0.01 })
      const [kernel] = variablesOf(model)
      const dense = variablesOf(model).at(-2)
      const fit = async (trainable: boolean): Promise<number> => {
        model.layers[0].trainable = trainable
        model.compile({ optimizer, loss: 'meanSquaredError' })
        await model.fit(xs, ys, { epochs: 1, batchSize: 8, verbose: 0 })
        return tf.memory().numTensors
      }
      const tensors = await fit(false)
      expect(Object.keys((await optimizer.stateDict()).parameters)).not.toContain(kernel.name)
      const withKernel = await fit(true)
      expect(withKernel).toBe(tensors + 6) // Three of the kernel, three of the bias.
      expect(await fit(false)).toBe(withKernel)
      expect(await fit(true)).toBe(withKernel)
      const { parameters } = await optimizer.stateDict()
      expect(parameters[kernel.name].step).toBe(4)
      expect(parameters[dense?.name ?? ''].step).toBe(8)
      optimizer.dispose()
      model.dispose()
      tf.dispose([xs, ys])
    },
  },
  {
    name: 'options can be changed during training, also of variables registered later',
    async run() {
      const [x, y] = [variable([1], 'x'), variable([1], 'y')]
      const optimizer = new DiffGrad({
        groups: [{ parameters: ['y'], weightDecay: 0.5, optional: true }],
      })
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
    name: 'the default ε is larger where textures have 16 bits, and only there',
    backends: ['webgl'],
    async run() {
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
    name: 'a rule of more arrays than a device can bind runs too',
    async run() {
      const slots = Array.from({ length: 9 }, (_, k) => `s${k}`)
      const sums = defineRule({
        name: 'sums',
        defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
        stateNames: () => slots,
        coefficients: () => ({}),
        update({ add }, { g, ...state }) {
          const next = slots.map((slot) => [slot, add(g, state[slot])])
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
      const { state } = (await optimizer.stateDict()).parameters[x.name]
      for (const slot of slots) expect([...state[slot]]).toEqual([3, 3, 3])
      optimizer.dispose()
      x.dispose()
    },
  },
  {
    name: 'a step on another backend is refused while scalar state on WebGPU is unread',
    backends: ['webgpu'],
    async run() {
      const [x, optimizer] = [variable([0, 0]), new DiffGradNorm()]
      const gradient = tf.tensor1d([3, 4])
      const step = (): void => void optimizer.applyGradients({ [x.name]: gradient })
      step()
      await tf.setBackend('cpu')
      expect(step).toThrow('diffGradNorm: its scalar state is still on WebGPU; await stateDict()')
      await tf.setBackend('webgpu')
      step()
      const { scalars } = (await optimizer.stateDict()).parameters[x.name]
      // γ = 0.95, from 0, for two norms of 5.
      expect(scalars?.averageNorm).toBeCloseTo(0.95 * 0.25 + 0.25, 6)
      optimizer.dispose()
      tf.dispose([x, gradient])
    },
  },
  {
    name: 'NaN stays NaN, also in comparisons, and does not spread',
    async run() {
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
