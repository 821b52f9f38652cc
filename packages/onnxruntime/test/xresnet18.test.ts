import { readFileSync } from 'node:fs'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { expect, test } from 'vitest'
import { loweringFor, type Runtime, Trainer, TrainerError } from '../src/index.ts'
import { batch, fourBatches, xResNet18Model } from './golden/xresnet18.ts'

/** Losses of PyTorch from the same parameters on the same batches; xresnet18.py writes them. */
const expected: { readonly losses: number[]; readonly withoutFriction: number[] } = JSON.parse(
  readFileSync(new URL('golden/xresnet18.json', import.meta.url), 'utf8'),
)
/** The first seven losses show the friction best; later ones are near zero. */
const steps = process.env.ALL_STEPS ? expected.losses.length : 7
const tolerance = { relative: 1e-3, absolute: 1e-3 }

// Threads that spin while they wait are slow on a busy machine.
web.env.wasm.numThreads = 1
const model = xResNet18Model()
const batches = fourBatches()

async function train(ort: Runtime, update: 'kernel' | 'graph'): Promise<number[]> {
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-4 },
    dimensions: { batch },
    update,
  })
  const losses: number[] = []
  for (let t = 0; t < steps; t++)
    losses.push((await trainer.step(batches[t % batches.length])).loss)
  await trainer.dispose()
  return losses
}

test('the golden losses differ from those of Adam by five times the tolerance', () => {
  const { losses, withoutFriction } = expected
  const differences = losses.slice(0, 7).map((loss, t) => Math.abs(loss - withoutFriction[t]))
  expect(Math.max(...differences)).toBeGreaterThan(5 * tolerance.absolute)
})

test.each([
  ['node', 'kernel'],
  ['node', 'graph'],
  ['web', 'kernel'],
] as const)(
  `XResNet-18 on onnxruntime-%s, %s: ${steps} losses are those of PyTorch`,
  async (runtime, update) => {
    const losses = await train({ node, web }[runtime], update)
    expectClose(losses, expected.losses.slice(0, steps), tolerance)
  },
)

test('convolutions use the blocked layout of the runtime, and blocks that it lacks are refused', async () => {
  // 16 on processors with AVX-512, 8 on others; 0 where the runtime has no such layout.
  const { channelBlock = 0 } = await loweringFor(node)
  expect([0, 8, 16]).toContain(channelBlock)
  expect((await loweringFor(web)).channelBlock).toBe(0)
  expect(await loweringFor(node, { executionProviders: ['webgpu'] })).toEqual({
    channelBlock: 0,
    operators: 'plain',
    productUpTo: 0,
  })
  expect((await loweringFor(node, {}, { channelBlock: 0 })).channelBlock).toBe(0)
  const options = {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad },
    dimensions: { batch },
    lowering: { channelBlock: 4 },
  }
  const refused = Trainer.create(node, model, options)
  await expect(refused).rejects.toThrow(TrainerError)
  await expect(refused).rejects.toThrow('lowering.channelBlock must be')
})
