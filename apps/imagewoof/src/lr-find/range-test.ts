import { exponential } from '@diffgrad/core'
import type { Config } from '../config/config.ts'
import { engines } from '../engine/engines.ts'
import { messageOf } from '../failure.ts'
import { networkOf, recipeOf } from '../recipe/recipe.ts'
import type { Surface } from '../training/run.ts'
import { openData } from '../training/session.ts'

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
  { screen, signal }: Surface,
): Promise<readonly Trial[]> {
  const { dataset, loader } = await openData(config)
  try {
    const circumstances = {
      classes: dataset.classes.length,
      batchesPerEpoch: loader.batchesPerEpoch,
    }
    const recipe = recipeOf(config, circumstances, {
      model: networkOf(config, circumstances.classes),
    })
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
        // A loss that is not finite is an answer, too.
        const loss = await engine.step(batch).then(
          (step) => step.loss,
          (error) => void screen.write(`${messageOf(error)}\n`),
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
async function* endless(loader: Awaited<ReturnType<typeof openData>>['loader'], count: number) {
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

/**
 * Where the smoothed loss falls fastest, per factor of the learning rate, before its minimum.
 *
 * @returns undefined if it never falls.
 */
export function suggestion(trials: readonly Trial[]): number | undefined {
  const smooth = smoothed(trials)
  const losses = smooth.map(({ loss }) => loss)
  const end = losses.indexOf(Math.min(...losses))
  let best: { readonly rate: number; readonly fall: number } | undefined
  for (let i = 5; i <= end; i++) {
    const fall = losses[i - 5] - losses[i]
    if (fall > (best?.fall ?? 0)) best = { rate: smooth[i].rate, fall }
  }
  return best?.rate
}
