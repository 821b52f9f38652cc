import { exponential } from '@diffgrad/core'
import type { Config } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import { engines } from '../engine/engines.ts'
import { Divergence } from '../failure.ts'
import { recipeOf } from '../recipe/recipe.ts'
import { openPictures } from '../training/pictures.ts'
import { newNetwork } from '../training/session.ts'
import type { Surface } from '../training/surface.ts'

/** A learning rate, and the loss of the batch that was seen with it. */
export interface Trial {
  readonly rate: number
  readonly loss: number
}

/** Between which learning rates, and in how many steps. */
export interface Range {
  readonly from: number
  readonly to: number
  readonly steps: number
}

/** How many times the best loss ends the test. */
const tooMuch = 3

/**
 * Takes steps with a learning rate that grows by the same factor each time, until the smoothed loss is
 * several times its best, or not finite.
 *
 * @see Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186.
 */
export async function rangeTest(
  config: Config,
  { from, to, steps }: Range,
  surface: Surface,
): Promise<readonly Trial[]> {
  const { screen, signal } = surface
  const { dataset, loader } = await openPictures(config, surface)
  try {
    const circumstances = {
      classes: dataset.classes.length,
      batchesPerEpoch: loader.batchesPerEpoch,
    }
    const network = await newNetwork(config, circumstances.classes)
    const recipe = recipeOf(config, circumstances, network)
    const factor = (to / from) ** (1 / (steps - 1))
    const learningRate = exponential({ from, factor })
    const engine = await engines[config.engine]({
      ...recipe,
      optimizer: { ...recipe.optimizer, learningRate },
    })
    try {
      const trials: Trial[] = []
      for await (const batch of endless(loader, steps)) {
        const rate = from * factor ** trials.length
        const loss = await engine.step(batch).then(
          (step) => step.loss,
          (error) => {
            if (!(error instanceof Divergence)) throw error
            screen.write(`${error.message}\n`) // A loss that is not finite is an answer, too.
            return undefined
          },
        )
        if (loss === undefined) break
        trials.push({ rate, loss })
        await new Promise(setImmediate)
        const smooth = smoothed(trials).map((trial) => trial.loss)
        if (signal.aborted || smooth[smooth.length - 1] > tooMuch * Math.min(...smooth)) break
      }
      return trials
    } finally {
      await engine.dispose()
    }
  } finally {
    await loader.dispose()
  }
}

/** So many batches, over as many epochs as it takes. */
async function* endless(loader: Loader, count: number) {
  for (let epoch = 0, left = count; left > 0; epoch++)
    for await (const batch of loader.train(epoch)) {
      if (left-- <= 0) return
      yield batch
    }
}

/** Losses averaged over their past, exponentially, with the bias of the start removed. */
export function smoothed(trials: readonly Trial[], keep = 0.9): readonly Trial[] {
  let average = 0
  return trials.map(({ rate, loss }, i) => {
    average = keep * average + (1 - keep) * loss
    return { rate, loss: average / (1 - keep ** (i + 1)) }
  })
}
