import { Failure } from '../failure.ts'
import type { EpochRow } from '../run/history.ts'

/** A rung of successive halving. Without halving, a sweep has one rung. */
export interface Rung {
  /** The number of epochs that runs complete on the rung, unless they have fewer. */
  readonly epochs: number
  /** The number of candidates that reach the rung. */
  readonly candidates: number
}

/**
 * The rungs of successive halving: each trains 1/η of the candidates for η times as many epochs. There are
 * as many as leave one epoch on the first one, and one candidate on the last one.
 *
 * @see Jamieson and Talwalkar, arXiv:1502.07943; Li et al., "Hyperband", arXiv:1603.06560, algorithm 1.
 * @param epochs - of the whole training.
 * @throws {Failure} If there would be one rung.
 */
export function halvingRungs(candidates: number, epochs: number, eta: number): readonly Rung[] {
  // Not by logarithms, whose rounding errors lose a rung: log(1000) / log(10) < 3.
  let last = 0
  while (eta ** (last + 1) <= Math.min(candidates, epochs)) last++
  if (last === 0)
    throw new Failure(
      `--halve ${eta} needs ${eta} candidates and ${eta} epochs or more, but there are ${candidates} and ${epochs}`,
    )
  return Array.from({ length: last + 1 }, (_, i) => ({
    epochs: Math.round(epochs / eta ** (last - i)),
    candidates: Math.floor(candidates / eta ** i),
  }))
}

/** What a run of a candidate has come to. */
export interface RunProgress {
  readonly epochs: readonly EpochRow[]
  /** Whether it is complete, or was stopped early. */
  readonly isFinished: boolean
  /** Whether it diverged after its last epoch. */
  readonly isFailed: boolean
}

/** Where a candidate is. */
export interface Standing {
  /** Index of the last rung that the candidate reaches, so far. */
  readonly rung: number
  /** Whether it reaches no other: it is on the last one, or others were better. */
  readonly isFinal: boolean
}

/**
 * Where each candidate is. Depends on nothing but the epochs that are complete: all processes decide alike,
 * and runs that have come further change nothing before.
 *
 * @param candidates - the runs of each candidate, one for each seed.
 */
export function standings(
  rungs: readonly Rung[],
  candidates: readonly (readonly RunProgress[])[],
): readonly Standing[] {
  const result: Standing[] = candidates.map(() => ({ rung: 0, isFinal: rungs.length === 1 }))
  let alive = candidates.map((_, i) => i)
  for (const [r, { epochs }] of rungs.entries()) {
    const next = rungs[r + 1]
    for (const i of alive) result[i] = { rung: r, isFinal: next === undefined }
    const isComplete = alive.every((i) => candidates[i].every((run) => hasPassed(run, epochs)))
    if (next === undefined || !isComplete) break
    const promoted = alive
      .flatMap((i) => {
        const score = scoreAt(candidates[i], epochs)
        return score ? [{ i, score }] : []
      })
      .toSorted((a, b) => compareScores(a.score, b.score) || a.i - b.i)
      .slice(0, next.candidates)
      .map(({ i }) => i)
    for (const i of alive) if (!promoted.includes(i)) result[i] = { rung: r, isFinal: true }
    alive = promoted
  }
  return result
}

/** Whether a run has completed so many epochs, or never will. */
const hasPassed = (run: RunProgress, epochs: number): boolean =>
  run.epochs.length >= epochs || run.isFinished || run.isFailed

/** What candidates are ranked by, each a mean over the seeds. */
export interface Score {
  readonly top1: number
  readonly validationLoss: number
}

/** The score after so many epochs; undefined if a run diverged before, or none has come so far. */
export function scoreAt(runs: readonly RunProgress[], epochs: number): Score | undefined {
  const rows = runs.flatMap(({ epochs: all, isFinished }) => {
    const row = all[epochs - 1] ?? (isFinished ? all[all.length - 1] : undefined)
    return row === undefined ? [] : [row]
  })
  if (rows.length < runs.length) return undefined
  const mean = (value: (row: EpochRow) => number): number =>
    rows.reduce((sum, row) => sum + value(row), 0) / rows.length
  return { top1: mean((row) => row.top1), validationLoss: mean((row) => row.validationLoss) }
}

/** The better one first: by accuracy, and of equal ones by loss. */
export const compareScores = (a: Score, b: Score): number =>
  b.top1 - a.top1 || a.validationLoss - b.validationLoss
