import { readFileSync } from 'node:fs'
import { diffGrad, stepKernels } from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { isFloat32 } from '../src/model/model.ts'
import { crossEntropy } from '../src/nn/losses.ts'
import { trainStepModel } from '../src/train-step-model.ts'
import { xResNet18Model } from './golden/xresnet18.ts'
import {
  expectTensorClose,
  feedOf,
  feedsOf,
  float,
  floats,
  integers,
  norm,
  session,
} from './session.ts'

interface Expected {
  readonly losses: readonly number[]
  readonly logits: readonly number[]
  readonly gradients: Readonly<Record<string, { norm: number; sample: readonly number[] }>>
  readonly parameters: Readonly<Record<string, { moved: number; sample: readonly number[] }>>
  readonly runningMeans: Readonly<Record<string, readonly number[]>>
}

/** Computed by PyTorch from the same parameters, with xresnet18.py. */
const expected: Expected = JSON.parse(
  readFileSync(new URL('golden/xresnet18.json', import.meta.url), 'utf8'),
)
const [batch, size] = [8, 64]
const forward = xResNet18Model()
const options = { loss: crossEntropy(), dimensions: { batch } }
const input = float(pixels(batch * 3 * size * size), [batch, 3, size, size])
const target = integers(Array.from({ length: batch }, (_, i) => i % 10))

/** A linear congruential generator, the same as in xresnet18.py. */
function pixels(count: number): Float32Array {
  let state = 18
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

function sample(x: Float32Array): readonly number[] {
  const step = Math.max(Math.floor(x.length / 24), 1)
  return Array.from({ length: Math.min(24, x.length) }, (_, i) => x[i * step] ?? 0)
}

test('XResNet-18: the loss, the logits and every gradient agree with PyTorch', async () => {
  const { model, loss, parameters } = gradientModel(forward, options)
  const running = await session(model)
  const statistics = Object.fromEntries(
    model.inputs
      .filter(({ name }) => name.includes('running'))
      .map(({ name }) => {
        const tensor = forward.initializers.get(name)
        if (!tensor || !isFloat32(tensor)) throw new TypeError(`${name} must be a tensor`)
        return [name, feedOf(tensor)]
      }),
  )
  const results = await running.run({
    input,
    target,
    ...statistics,
    ...feedsOf(parameters),
  })
  expectTensorClose(floats(results, loss), expected.losses.slice(0, 1), 1e-5)
  expectTensorClose(floats(results, 'output'), expected.logits, 1e-4)
  expect(new Set(parameters.keys())).toEqual(new Set(Object.keys(expected.gradients)))
  for (const [name, { gradient }] of parameters) {
    const g = floats(results, gradient)
    const golden = expected.gradients[name]
    expectTensorClose(sample(g), golden?.sample ?? [], 1e-4, name)
    expectClose(norm(g), golden?.norm ?? 0, { relative: 1e-4 })
  }
})

test('XResNet-18: eight train steps of diffGrad in the graph agree with PyTorch', async () => {
  const hyperparameters = { ...diffGrad.defaults, learningRate: 1e-4 }
  const { update } = stepKernels(diffGrad, hyperparameters, 1)
  const step = trainStepModel(forward, { ...options, update })
  const running = await session(step.model)
  let state = new Map([...step.state].map(([name, tensor]) => [name, feedOf(tensor)]))
  const losses: number[] = []
  for (let t = 1; t <= expected.losses.length; t++) {
    const { coefficients: values } = stepKernels(diffGrad, hyperparameters, t)
    const coefficients = [...(step.coefficients[0] ?? [])].map(
      ([name, input]) => [input, float(Float32Array.of(values[name] ?? Number.NaN), [])] as const,
    )
    const results = await running.run({
      input,
      target,
      ...Object.fromEntries(coefficients),
      ...Object.fromEntries(state),
    })
    losses.push(floats(results, step.loss)[0] ?? Number.NaN)
    state = new Map(
      [...state].map(([name, { dims }]) => [
        name,
        float(floats(results, step.next.get(name) ?? ''), dims),
      ]),
    )
  }
  expectTensorClose(losses, expected.losses, 1e-4)
  // A gradient that is only rounding error has a random sign, and so has its step: single small tensors
  // may differ in their change, the changes of all tensors together may not.
  const goldens = Object.entries(expected.parameters)
  const moves = goldens.map(([name, { sample: golden }]) => {
    const [now, start] = [floats(Object.fromEntries(state), name), step.state.get(name)]
    expectClose(sample(now), golden, { relative: 1e-4, absolute: 1e-4 })
    return norm(now.map((x, i) => x - Number(start?.data[i])))
  })
  const moved = goldens.map(([, golden]) => golden.moved)
  expectTensorClose(moves, moved, 1e-4)
  for (const [name, golden] of Object.entries(expected.runningMeans)) {
    const now = sample(floats(Object.fromEntries(state), name))
    expectClose(now, golden, { relative: 1e-4, absolute: 1e-4 })
  }
})

test('XResNet-18: a train step for accelerators has at most 1,640 nodes', () => {
  const { update } = stepKernels(diffGrad, diffGrad.defaults, 1)
  const lowering = { operators: 'plain', productUpTo: 0 } as const
  const parameters = [...gradientModel(forward, options).parameters.keys()]
  const nodesOf = (flat: readonly (readonly string[])[]): number =>
    trainStepModel(forward, { ...options, lowering, update, flat }).model.nodes.length
  // Every node is a call of the device: with an update for each parameter there were 2,705.
  expect(nodesOf([parameters])).toBeLessThanOrEqual(1640)
  expect(nodesOf([])).toBeGreaterThan(2500)
})
