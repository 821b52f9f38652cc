import { DiffGrad as ArraysDiffGrad } from '@diffgrad/arrays'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, test } from 'vitest'
import { Adam, DiffGrad } from '../src/index.ts'

const gradient = (t: number): tf.Tensor => tf.tensor1d([Math.sin(t), Math.cos(t), 1])

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
  })

  const named = (name: string) => `${name} on ${backend}`

  test('a step does not change other tensors with the same data', async () => {
    const name = named('shared')
    const values = Float32Array.of(1, 2, 3)
    const own = tf.variable(tf.tensor1d(values), true, name)
    const [clone, before] = [own.clone(), own.dataSync()]
    const optimizer = new DiffGrad()
    optimizer.applyGradients({ [name]: gradient(1) })
    for (const copy of [values, await clone.data(), before]) expect([...copy]).toEqual([1, 2, 3])
    expect([...(await own.data())]).not.toEqual([1, 2, 3])
  })

  test('the tensors of getWeights can be read during later steps', async () => {
    const name = named('weights')
    tf.variable(tf.zeros([3]), true, name)
    const optimizer = new DiffGrad()
    optimizer.applyGradients({ [name]: gradient(1) })
    const weights = await optimizer.getWeights()
    const m = weights.find((weight) => weight.name === `${name}/m`)
    const [clone, reading] = [m?.tensor.clone(), m?.tensor.data()]
    const expected = (await optimizer.stateDict()).parameters[name].state.m
    optimizer.applyGradients({ [name]: gradient(2) })
    expect(await reading).toEqual(expected)
    expect(await clone?.data()).toEqual(expected)
  })

  test('a state can be loaded twice, and training does not change it', async () => {
    const name = named('loaded')
    const own = tf.variable(tf.zeros([3]), true, name)
    const optimizer = new DiffGrad({ learningRate: 0.1 })
    optimizer.applyGradients({ [name]: gradient(1) })
    const [state, start] = [await optimizer.stateDict(), own.clone()]
    const results = [1, 2].map(() => {
      own.assign(start)
      optimizer.loadStateDict(state)
      for (let t = 2; t < 5; t++) optimizer.applyGradients({ [name]: gradient(t) })
      return [...own.dataSync()]
    })
    expect(results[1]).toEqual(results[0])
  })

  test('training continues on typed arrays', async () => {
    const name = named('moved')
    const own = tf.variable(tf.zeros([3]), true, name)
    const optimizer = new DiffGrad({ learningRate: 0.1 })
    for (let t = 1; t < 5; t++) optimizer.applyGradients({ [name]: gradient(t) })
    const values = (await own.data<'float32'>()).slice()
    const elsewhere = new ArraysDiffGrad({ [name]: values })
    elsewhere.loadStateDict(await optimizer.stateDict())
    for (let t = 5; t < 9; t++) {
      optimizer.applyGradients({ [name]: gradient(t) })
      elsewhere.step({ [name]: gradient(t).dataSync<'float32'>() })
    }
    const end = await own.data()
    expectClose(values, end, { relative: 1e-6, absolute: 1e-6 })
  })
})

test('running averages of zero gradients become zero before they are subnormal, on wasm', async () => {
  await tf.setBackend('wasm')
  tf.variable(tf.zeros([11]), true, 'idle')
  const optimizer = new DiffGrad({ beta2: 0.9 })
  optimizer.applyGradients({ idle: tf.ones([11]) })
  const zero = { idle: tf.zeros([11]) }
  for (let t = 0; t < 2000; t++) optimizer.applyGradients(zero)
  const { m, v } = (await optimizer.stateDict()).parameters.idle.state
  expect([...m, ...v]).toEqual(new Array(22).fill(0))
})

/** Trains for three steps, each on a backend of its own. Returns weights and state, and clones of the state after the first step. */
async function train(size: number, backends: readonly string[]) {
  const name = backends.join()
  const optimizer = new Adam({ learningRate: 0.1 })
  await tf.setBackend(backends[0])
  const own = tf.variable(tf.linspace(-1, 1, size), true, name)
  optimizer.bind([own])
  const [, , ...memory] = await optimizer.getWeights()
  const clones: tf.Tensor[] = []
  for (const [t, backend] of backends.entries()) {
    await tf.setBackend(backend)
    optimizer.applyGradients({ [name]: tf.linspace(t, t - 2, size) })
    if (t === 0) clones.push(...memory.map(({ tensor }) => tensor.clone()))
  }
  return [own, ...memory.map(({ tensor }) => tensor), ...clones].map((tensor) => tensor.dataSync())
}

test('changing the backend does not change the training', async () => {
  const size = 2 ** 21 + 3 // More than the initial memory of wasm, so it grows during the step.
  const expected = await train(size, ['cpu', 'cpu', 'cpu'])
  for (const [i, array] of (await train(size, ['cpu', 'wasm', 'cpu'])).entries()) {
    expectClose(array, expected[i], { relative: 1e-6, absolute: 1e-6 })
  }
})
