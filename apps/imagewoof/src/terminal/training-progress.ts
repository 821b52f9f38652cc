import { SingleBar } from 'cli-progress'
import { formatDuration, formatRate } from '../format.ts'
import type { Screen } from './context.ts'

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
 * Shows a bar on a terminal, and a line every ten seconds elsewhere.
 *
 * @param steps - of the whole training.
 * @param start - steps taken by earlier processes.
 */
export const showTrainingProgress = (
  screen: Screen,
  steps: number,
  start: number,
): TrainingProgress =>
  screen.isTTY ? showBar(screen, steps, start) : writeLines(screen, steps, start)

function showBar(screen: Screen, steps: number, start: number): TrainingProgress {
  const speed = new Speed(start)
  const format =
    '{bar} {percentage} % · {speed} images/s · loss {loss} · learning rate {rate} · {left} left'
  const startBar = (at: number): SingleBar => {
    const bar = new SingleBar({
      format,
      stream: screen,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
    })
    bar.start(steps, at, { speed: '–', loss: '–', rate: '–', left: '–' })
    return bar
  }
  let bar = startBar(start)
  let done = start
  return {
    step(report) {
      done = report.steps
      const { imagesPerSecond, left } = speed.after(report, steps)
      const { loss, learningRate } = report
      const rate = formatRate(learningRate)
      bar.update(done, { speed: imagesPerSecond, loss: loss.toFixed(3), rate, left })
    },
    line(text) {
      bar.stop()
      screen.write(`${text}\n`)
      bar = startBar(done)
    },
    stop: () => bar.stop(),
  }
}

function writeLines(screen: Screen, steps: number, start: number): TrainingProgress {
  const speed = new Speed(start)
  let written = performance.now()
  return {
    step(report) {
      const { imagesPerSecond, left } = speed.after(report, steps)
      if (performance.now() - written < 10_000) return
      written = performance.now()
      const { loss, learningRate } = report
      screen.write(
        `step ${report.steps} of ${steps} · ${imagesPerSecond} images/s · loss ${loss.toFixed(3)} · learning rate ${formatRate(learningRate)} · ${left} left\n`,
      )
    },
    line(text) {
      screen.write(`${text}\n`)
    },
    stop() {},
  }
}

/** Speed and remaining time, measured over the steps of this process. */
class Speed {
  readonly #started = performance.now()
  readonly #start: number
  #images = 0

  constructor(start: number) {
    this.#start = start
  }

  after({ steps, images }: StepReport, total: number): { imagesPerSecond: string; left: string } {
    this.#images += images
    const seconds = (performance.now() - this.#started) / 1000
    const left = ((total - steps) * seconds) / (steps - this.#start)
    return { imagesPerSecond: (this.#images / seconds).toFixed(0), left: formatDuration(left) }
  }
}
