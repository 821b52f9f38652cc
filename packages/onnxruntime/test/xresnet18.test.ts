import { readFileSync } from 'node:fs'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { expect, test } from 'vitest'
import { type Runtime, Trainer } from '../src/index.ts'
import { batch, batches, xResNet18Model } from './golden/xresnet18.ts'

/** What PyTorch computes from the same parameters and batches; xresnet18.py writes it. */
const expected: { readonly losses: number[]; readonly withoutFriction: number[] } = JSON.parse(
  readFileSync(new URL('golden/xresnet18.json', import.meta.url), 'utf8'),
)
web.env.wasm.numThreads = 2
/** WebAssembly is slow: its whole traces are taken when `ALL_STEPS` is set. */
const inBrowsers = process.env.ALL_STEPS ? 30 : 5

async function trace(ort: Runtime, update: 'kernel' | 'graph', steps: number): Promise<number[]> {
  const trainer = await Trainer.create(ort, xResNet18Model(), {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-4 },
    dimensions: { batch },
    update,
  })
  const source = batches()
  const losses: number[] = []
  for (let t = 0; t < steps; t++) {
    const { value } = source.next()
    losses.push((await trainer.step(value)).loss)
  }
  await trainer.dispose()
  return losses
}

const worst = (losses: readonly number[], golden: readonly number[]): number =>
  Math.max(...losses.map((loss, t) => Math.abs(loss - golden[t])))

test('the golden trace can tell diffGrad from Adam', () => {
  expect(worst(expected.withoutFriction, expected.losses)).toBeGreaterThan(5e-3)
})

test.each([
  ['node', 'kernel', 30],
  ['node', 'graph', 30],
  ['web', 'kernel', inBrowsers],
  ['web', 'graph', inBrowsers],
] as const)(
  'XResNet-18 on onnxruntime-%s, %s: %i losses are those of PyTorch',
  async (on, update, steps) => {
    const losses = await trace({ node, web }[on], update, steps)
    expect(worst(losses, expected.losses)).toBeLessThan(1e-3)
  },
)
