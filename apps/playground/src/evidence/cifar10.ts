import { seeded } from '@diffgrad/onnx'
import results from '../../../../docs/evidence/cifar10-seresnet18-10epochs.json?raw'

/** An epoch: its number, mean training loss, top-1 accuracy as a share, and mean ξ. */
type Row = readonly [epoch: number, loss: number, top1: number, friction: number]

/** The runs of docs/evidence/reference.py, by its names of the contenders and by seed. */
const reference: Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>> =
  JSON.parse(results)

/** The contenders of the review, with their names in the reference. */
export const contenders = [
  { name: 'original', key: 'original' },
  { name: 'fixed', key: 'fixed0' },
  { name: 'Adam', key: 'adam' },
] as const

/** The seeds of the reference. */
export const seeds = ['1', '2'] as const

/** The accuracies after every epoch, in percent. */
export const accuraciesOf = (key: string, seed: string): readonly number[] =>
  reference[key][seed].map(([, , top1]) => 100 * top1)

/** The accuracy after the last epoch, in percent. */
export const finalOf = (key: string, seed: string): number => accuraciesOf(key, seed).at(-1) ?? 0

/** The lowest and the highest mean ξ of an epoch, over both seeds. */
export function frictionRange(key: string): readonly [low: number, high: number] {
  const means = seeds.flatMap((seed) => reference[key][seed].map((row) => row[3]))
  return [Math.min(...means), Math.max(...means)]
}

/** One accuracy for each contender, in their order, in percent. */
export type Outcome = readonly number[]

/** The figures of the review, each of one run. */
export const published: Outcome = [84.38, 83.42, 84.27]

/** The outcomes of the reference, by seed. */
export const measured: readonly Outcome[] = seeds.map((seed) =>
  contenders.map(({ key }) => finalOf(key, seed)),
)

/**
 * The standard deviation of a run in points, without the common effect of its seed, as
 * `pnpm --filter imagewoof evidence` prints it.
 */
export const runNoise = 0.59

const mean = measured.flat().reduce((sum, x) => sum + x, 0) / measured.flat().length

const random = seeded(1)
/** Standard normal noise of the draws so far, in their order, which is the same in every visit. */
const noise: (readonly number[])[] = []

/**
 * A simulated outcome of contenders that are equal: all have the mean of the reference, and the noise of so
 * many averaged runs.
 *
 * @param draw - counted from 1.
 */
export function simulate(draw: number, runs: number): Outcome {
  while (noise.length < draw) noise.push(contenders.map(() => random.normal()))
  return noise[draw - 1].map((z) => mean + (runNoise / Math.sqrt(runs)) * z)
}

/** The names of the contenders, best first. */
export const orderOf = (outcome: Outcome): string =>
  contenders
    .map(({ name }, i) => ({ name, accuracy: outcome[i] }))
    .toSorted((a, b) => b.accuracy - a.accuracy)
    .map(({ name }) => name)
    .join(', ')

/** How far the best is ahead of the worst, in points. */
export const gapOf = (outcome: Outcome): number => Math.max(...outcome) - Math.min(...outcome)

/** What happened in several draws. */
export interface Tally {
  /** The number of draws with each order, in the order of `orders`. */
  readonly counts: readonly number[]
  /** The number of draws whose gap is at least the published one. */
  readonly wide: number
}

/** All orders of the contenders. */
export const orders: readonly string[] = [
  [3, 2, 1],
  [3, 1, 2],
  [2, 3, 1],
  [1, 3, 2],
  [2, 1, 3],
  [1, 2, 3],
].map(orderOf)

/** Counts the orders of the draws from 1 to `draws`. */
export function tally(draws: number, runs: number): Tally {
  const outcomes = Array.from({ length: draws }, (_, i) => simulate(i + 1, runs))
  const found = outcomes.map(orderOf)
  return {
    counts: orders.map((order) => found.filter((other) => other === order).length),
    wide: outcomes.filter((outcome) => gapOf(outcome) >= gapOf(published)).length,
  }
}
