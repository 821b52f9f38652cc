import { DiffGrad as ArraysDiffGrad } from '@diffgrad/arrays'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, test } from 'vitest'
import { DiffGrad } from '../src/index.ts'

const gradient = (t: number): tf.Tensor => tf.tensor1d([Math.sin(t), Math.cos(t), 1])

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
  })

  const named = (name: string) => `${name} on ${backend}`

  test('a step changes no other tensor that has the same data', async () => {
    const name = named('shared')
    const mine = Float32Array.of(1, 2, 3)
    const own = tf.variable(tf.tensor1d(mine), true, name)
    const [clone, before] = [own.clone(), own.dataSync()]
    const optimizer = new DiffGrad()
    optimizer.applyGradients({ [name]: gradient(1) })
    for (const kept of [mine, await clone.data(), before]) expect([...kept]).toEqual([1, 2, 3])
    expect([...(await own.data())]).not.toEqual([1, 2, 3])
  })

  test('what getWeights handed out can be read while training goes on', async () => {
    const name = named('lent')
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

  test('a state may be loaded twice, and is nobody else’s to change', async () => {
    const name = named('loaded')
    const own = tf.variable(tf.zeros([3]), true, name)
    const optimizer = new DiffGrad({ learningRate: 0.1 })
    optimizer.applyGradients({ [name]: gradient(1) })
    const [state, start] = [await optimizer.stateDict(), own.clone()]
    const ends = [1, 2].map(() => {
      own.assign(start)
      optimizer.loadStateDict(state)
      for (let t = 2; t < 5; t++) optimizer.applyGradients({ [name]: gradient(t) })
      return [...own.dataSync()]
    })
    expect(ends[1]).toEqual(ends[0])
  })

  test('a state goes on on typed arrays', async () => {
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
    for (const [i, x] of values.entries()) expect(x).toBeCloseTo(end[i], 6)
  })
})

test('averages of zeros become zero before they are subnormal, on wasm', async () => {
  await tf.setBackend('wasm')
  tf.variable(tf.zeros([11]), true, 'idle')
  const optimizer = new DiffGrad({ beta2: 0.9 })
  optimizer.applyGradients({ idle: tf.ones([11]) })
  const zero = { idle: tf.zeros([11]) }
  for (let t = 0; t < 2000; t++) optimizer.applyGradients(zero)
  const { m, v } = (await optimizer.stateDict()).parameters.idle.state
  expect([...m, ...v]).toEqual(new Array(22).fill(0))
})
