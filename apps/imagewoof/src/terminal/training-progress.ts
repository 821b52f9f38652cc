import { formatRate } from '../format.ts'
import { RemainingTime, type Screen } from './screen.ts'

/** What is reported after each train step. */
interface StepReport {
  /** Steps taken since the run started, in this process or an earlier one. */
  readonly steps: number
  /** Images in the step's batch. */
  readonly images: number
  readonly loss: number
  readonly learningRate: number
}

/** The progress display of a training. */
export interface TrainingProgress {
  step(report: StepReport): void
  /** Writes a line, above the bar if there is one. */
  line(text: string): void
  stop(): void
}

/**
 * Shows the progress of a training. Speed and remaining time are those of this process.
 *
 * @param steps - of the whole training.
 * @param start - steps taken by earlier processes.
 */
export function showTrainingProgress(
  screen: Screen,
  steps: number,
  start: number,
): TrainingProgress {
  const started = performance.now()
  const time = new RemainingTime(start)
  let allImages = 0
  const show = (done: number, details: readonly string[]): void =>
    screen.show({ task: 'training', done, total: steps, details })
  show(start, [])
  return {
    step({ steps: done, images, loss, learningRate }) {
      allImages += images
      const speed = (1000 * allImages) / (performance.now() - started)
      const left = time.text(done, steps)
      show(done, [
        ...(left ? [left] : []),
        `loss ${loss.toFixed(3)}`,
        `${speed.toFixed(0)} images/s`,
        `learning rate ${formatRate(learningRate)}`,
      ])
    },
    line: (text) => screen.write(text),
    stop: () => screen.hide(),
  }
}
