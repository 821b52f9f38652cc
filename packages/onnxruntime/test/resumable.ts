import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { type Runtime, Trainer } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

/** So much text that writing a checkpoint takes a while. */
export const text = 'x'.repeat(1e6)

/** A trainer whose runs are all alike. */
export const create = (ort: Runtime): Promise<Trainer<typeof diffGrad.defaults>> =>
  Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: { rule: diffGrad, learningRate: 1e-3, clip: { by: 'globalNorm', limit: 1 } },
  })

/** Takes the step after so many. */
export const stepAfter = async (trainer: Awaited<ReturnType<typeof create>>, updates: number) =>
  (await trainer.step(stripes(updates))).updates
