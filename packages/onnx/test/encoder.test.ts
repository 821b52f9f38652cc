import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { selfAttention } from '../src/nn/attention.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel, residual, sequential } from '../src/nn/layer.ts'
import { gelu, layerNorm, linear } from '../src/nn/layers.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { feedsOf, float, floats, norm, session } from './session.ts'

test('a transformer encoder block: the gradient of every parameter agrees with finite differences', async () => {
  const block = sequential(
    residual(selfAttention(2)),
    layerNorm(),
    residual(sequential(linear(16), gelu, linear(8))),
    layerNorm(),
  )
  const forward = buildModel(block, { shape: ['batch', 5, 8], seed: testSeed(3) })
  const { model, loss, parameters } = gradientModel(forward, {
    loss: meanSquaredError(),
    dimensions: { batch: 3 },
  })
  expect(parameters.size).toBe(16)
  const running = await session(model)
  const random = seeded(testSeed(7))
  const drawn = (length: number) => Float32Array.from({ length }, () => random.normal())
  const feeds = new Map([
    ['input', float(drawn(120), [3, 5, 8])],
    ['target', float(drawn(120), [3, 5, 8])],
    ...Object.entries(feedsOf(parameters)),
  ])
  const exact = await running.run(Object.fromEntries(feeds))
  /** The mean of (y − t)², summed in float64. */
  const lossAt = async (name: string, direction: Float32Array, step: number): Promise<number> => {
    const start = feeds.get(name)
    if (!(start?.data instanceof Float32Array)) throw new TypeError(`${name} must have a feed`)
    const moved = start.data.map((x, i) => x + step * (direction[i] ?? 0))
    const changed = { ...Object.fromEntries(feeds), [name]: float(moved, start.dims) }
    const y = floats(await running.run(changed, ['output']), 'output')
    const target = feeds.get('target')?.data
    return y.reduce((sum, v, i) => sum + (v - Number(target?.[i])) ** 2, 0) / y.length
  }
  expectClose(floats(exact, loss), [await lossAt('input', new Float32Array(120), 0)], {
    relative: 1e-5,
  })
  const whole = norm([...parameters.values()].map(({ gradient }) => norm(floats(exact, gradient))))
  for (const [name, { gradient }] of parameters) {
    const g = floats(exact, gradient)
    const direction = g.map(() => (random.uniform() < 0.5 ? -1 : 1))
    const h = 1 / 128
    const near = (await lossAt(name, direction, h)) - (await lossAt(name, direction, -h))
    const far = (await lossAt(name, direction, 2 * h)) - (await lossAt(name, direction, -2 * h))
    const slope = (8 * near - far) / (12 * h)
    const along = g.reduce((sum, v, i) => sum + v * (direction[i] ?? 0), 0)
    expect(Math.abs(slope - along) / Math.max(norm(g), 0.01 * whole), name).toBeLessThan(5e-4)
  }
})
