import type { Line, LineChart } from './line-chart.ts'

/** The course of one training. */
export interface LearningCurve {
  /** The loss of each batch. */
  readonly losses: readonly number[]
  /** The running average of the loss after each batch. */
  readonly averagedLosses: readonly number[]
  /** The accuracy on unseen examples, in [0, 1], by step. */
  readonly accuracies: readonly (readonly [step: number, accuracy: number])[]
}

export const emptyCurve: LearningCurve = { losses: [], averagedLosses: [], accuracies: [] }

/** The decay of the running average of the loss. */
const decay = 0.9

/** The curve with the loss of one more batch. */
export function withLoss(
  { losses, averagedLosses, accuracies }: LearningCurve,
  loss: number,
): LearningCurve {
  const average = averagedLosses[averagedLosses.length - 1] ?? loss
  return {
    losses: [...losses, loss],
    averagedLosses: [...averagedLosses, decay * average + (1 - decay) * loss],
    accuracies,
  }
}

/** The curve with one more evaluation. */
export const withAccuracy = (
  { losses, averagedLosses, accuracies }: LearningCurve,
  step: number,
  accuracy: number,
): LearningCurve => ({ losses, averagedLosses, accuracies: [...accuracies, [step, accuracy]] })

/** Losses per batch in faint, their running averages in bold. */
export function lossLines(progress: readonly LearningCurve[], steps: number): LineChart {
  const highest = Math.max(2.5, ...progress.flatMap(({ averagedLosses }) => averagedLosses))
  const byStep = (values: readonly number[]): Line => values.map((value, i) => [i + 1, value])
  return {
    steps,
    range: [0, Math.min(highest, 5)],
    format: (value) => `${value}`,
    series: progress.map(({ losses, averagedLosses }) => ({
      faint: byStep(losses),
      bold: byStep(averagedLosses),
    })),
  }
}

export const accuracyLines = (progress: readonly LearningCurve[], steps: number): LineChart => ({
  steps,
  range: [0, 1],
  format: (value) => `${Math.round(100 * value)} %`,
  series: progress.map(({ accuracies }) => ({ faint: [], bold: accuracies })),
})
