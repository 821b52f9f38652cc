import { exponential } from '@diffgrad/core'
import type { Config } from '../config/config.ts'
import type { Batch, Loader } from '../data/batch.ts'
import { openEngine } from '../engine/engine-thread.ts'
import { Divergence } from '../failure.ts'
import { newModel } from '../model/network.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData, openLoader } from '../training/session.ts'

/** The loss of one step, and the learning rate of its update. */
export interface Trial {
  readonly rate: number
  readonly loss: number
}

/** The learning rates of a range test. */
export interface RangeTestOptions {
  readonly from: number
  readonly to: number
  readonly steps: number
}

/** The test ends when the smoothed loss exceeds so many times its minimum. */
const maxLossRatio = 3

/**
 * Runs a learning-rate range test: raises the rate exponentially, step by step, until the smoothed loss
 * is several times its minimum, or not finite.
 *
 * @see Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186.
 */
export async function rangeTest(
  config: Config,
  { from, to, steps }: RangeTestOptions,
  context: CommandContext,
): Promise<readonly Trial[]> {
  const { screen, signal, provider } = context
  const dataset = await openData(config, context)
  const loader = openLoader(dataset, config)
  try {
    const model = await newModel(config, dataset.classes.length)
    const factor = (to / from) ** (1 / (steps - 1))
    const learningRate = exponential({ from, factor })
    const engineOptions = { learningRate, provider }
    const engine = await openEngine(config, loader.batchesPerEpoch, model, engineOptions)
    try {
      const trials: Trial[] = []
      for await (const batch of takeBatches(loader, steps)) {
        const rate = from * factor ** trials.length
        const loss = await engine.step(batch).then(
          (step) => step.loss,
          (error) => {
            if (!(error instanceof Divergence)) throw error
            screen.write(`${error.message}\n`) // Divergence ends the test, but is not an error.
            return undefined
          },
        )
        if (loss === undefined) break
        trials.push({ rate, loss })
        const losses = smoothed(trials).map((trial) => trial.loss)
        const diverges = losses[losses.length - 1] > maxLossRatio * Math.min(...losses)
        if (signal.aborted || diverges) break
      }
      return trials
    } finally {
      await engine.dispose()
    }
  } finally {
    await loader.dispose()
  }
}

/** The first `count` training batches, over as many epochs as necessary. */
async function* takeBatches(loader: Loader, count: number): AsyncGenerator<Batch> {
  for (let epoch = 0, left = count; left > 0; epoch++)
    for await (const batch of loader.train(epoch)) {
      if (left-- <= 0) return
      yield batch
    }
}

/** Exponential moving average of the losses, with bias correction. */
export function smoothed(trials: readonly Trial[], decay = 0.9): readonly Trial[] {
  let average = 0
  return trials.map(({ rate, loss }, i) => {
    average = decay * average + (1 - decay) * loss
    return { rate, loss: average / (1 - decay ** (i + 1)) }
  })
}

/** A suggested learning rate. */
export interface Suggestion {
  readonly name: 'steepest' | 'valley' | 'minimum / 10'
  readonly rate: number
  /** How it is found, as a phrase. */
  readonly rule: string
}

/**
 * Suggests learning rates by three rules, the preferred one first.
 *
 * @returns an empty list if the loss never falls.
 */
export function suggestLearningRates(trials: readonly Trial[]): readonly Suggestion[] {
  const steepest = steepestRate(trials)
  if (steepest === undefined) return []
  const smooth = smoothed(trials)
  const lowest = smooth.reduce((a, b) => (b.loss < a.loss ? b : a))
  return [
    { name: 'steepest', rate: steepest, rule: 'where the loss falls fastest' },
    {
      name: 'valley',
      rate: valleyRate(smooth),
      rule: 'halfway down the longest fall, as in fastai',
    },
    {
      name: 'minimum / 10',
      rate: lowest.rate / 10,
      rule: 'a tenth of the rate with the lowest loss',
    },
  ]
}

/**
 * The learning rate where the loss falls fastest per factor of the rate: the centre of the quarter of the
 * trials with the steepest regression line; undefined if the loss never falls.
 */
function steepestRate(trials: readonly Trial[]): number | undefined {
  const width = Math.max(Math.floor(trials.length / 4), 3)
  const starts = [...trials.keys()].filter((start) => start + width <= trials.length)
  const slopes = starts.map((start) => slopeOf(trials.slice(start, start + width)))
  const steepest = Math.min(...slopes)
  if (!(steepest < 0)) return undefined
  const start = slopes.indexOf(steepest)
  return Math.sqrt(trials[start].rate * trials[start + width - 1].rate)
}

/**
 * The learning rate half-way along the longest decreasing subsequence of the losses, counted from its end.
 *
 * @see `valley` in fastai/callback/schedule.py.
 */
export function valleyRate(trials: readonly Trial[]): number {
  // Length of the longest decreasing subsequence that ends at each trial.
  const lengths: number[] = []
  for (const { loss } of trials)
    lengths.push(1 + Math.max(0, ...lengths.filter((_, j) => trials[j].loss > loss)))
  const longest = Math.max(...lengths)
  const start = lengths.indexOf(longest) - longest
  const section = longest / 3
  return trials[Math.max(start + Math.floor(section) + Math.floor(section / 2), 0)].rate
}

/** Slope of the least-squares line through the losses, over the logarithms of the rates. */
function slopeOf(trials: readonly Trial[]): number {
  const points = trials.map(({ rate, loss }) => [Math.log(rate), loss] as const)
  const [x, y] = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length)
  const [covariance, variance] = points.reduce(
    ([xy, xx], [a, b]) => [xy + (a - x) * (b - y), xx + (a - x) ** 2],
    [0, 0],
  )
  return covariance / variance
}
