import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { type Runtime, Trainer } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

/** A note so long that a checkpoint is not written by a single call of the operating system. */
export const longNote = 'x'.repeat(1e6)

/** A trainer that takes the same steps in every process. */
export const createTrainer = (ort: Runtime): Promise<Trainer<typeof diffGrad.defaults>> =>
  Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: { rule: diffGrad, learningRate: 1e-3, clip: { by: 'globalNorm', limit: 1 } },
  })

/** Takes the step that follows `updates` updates, on a batch of its own. Returns the new number of updates. */
export const stepAfter = async (
  trainer: Awaited<ReturnType<typeof createTrainer>>,
  updates: number,
): Promise<number> => (await trainer.step(stripes(updates))).updates
