import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { accuracy, type Runtime, Trainer } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

/** What a page shows when it has trained. */
export interface Shown {
  readonly losses: readonly number[]
  readonly accuracy: number
  readonly fallbacks: readonly string[]
}

/** What a page does: it trains, and shows in its title what came of it. */
export async function trainInPage(ort: Runtime, provider: string, steps: number): Promise<void> {
  const trainer = await Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions: { batch: 16 },
    metrics: { accuracy: accuracy() },
    session: { executionProviders: [provider] },
  })
  const losses: number[] = []
  for (let t = 0; t < steps; t++) losses.push((await trainer.step(stripes(t))).loss)
  const { metrics } = await trainer.evaluate(stripes(1000, 64))
  const fallbacks = await trainer.fallbacks()
  const shown: Shown = { losses, accuracy: metrics.accuracy, fallbacks }
  document.title = JSON.stringify(shown)
}
