import { SingleBar } from 'cli-progress'

/** What is known between two steps. */
interface Reading {
  /** Steps taken, of all. */
  readonly steps: number
  readonly pictures: number
  readonly loss: number
  readonly learningRate: number
}

/** Tells how a training goes. */
export interface Progress {
  /** A step was taken. */
  step(reading: Reading): void
  /** Something worth a line has happened. */
  line(text: string): void
  stop(): void
}

/** A stream that may be a terminal. */
export interface Screen extends NodeJS.WritableStream {
  readonly isTTY?: boolean
}

/** A bar on a terminal, a line every ten seconds elsewhere. */
export const progressOn = (screen: Screen, steps: number, before: number): Progress =>
  screen.isTTY ? bar(screen, steps, before) : lines(screen, steps, before)

function bar(screen: Screen, steps: number, before: number): Progress {
  const pace = new Pace(before)
  const format =
    '{bar} {percentage} % · {pace} images/s · loss {loss} · learning rate {rate} · {left} left'
  const start = (at: number): SingleBar => {
    const shown = new SingleBar({
      format,
      stream: screen,
      hideCursor: true,
      clearOnComplete: true,
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
    })
    shown.start(steps, at, { pace: '–', loss: '–', rate: '–', left: '–' })
    return shown
  }
  let shown = start(before)
  let at = before
  return {
    step(reading) {
      at = reading.steps
      const { perSecond, left } = pace.after(reading, steps)
      const { loss, learningRate } = reading
      shown.update(at, {
        pace: perSecond,
        loss: loss.toFixed(3),
        rate: rateText(learningRate),
        left,
      })
    },
    line(text) {
      shown.stop()
      screen.write(`${text}\n`)
      shown = start(at)
    },
    stop: () => shown.stop(),
  }
}

function lines(screen: Screen, steps: number, before: number): Progress {
  const pace = new Pace(before)
  let written = performance.now()
  return {
    step(reading) {
      const { perSecond, left } = pace.after(reading, steps)
      if (performance.now() - written < 10_000) return
      written = performance.now()
      const { loss, learningRate } = reading
      screen.write(
        `step ${reading.steps} of ${steps} · ${perSecond} images/s · loss ${loss.toFixed(3)} · learning rate ${rateText(learningRate)} · ${left} left\n`,
      )
    },
    line(text) {
      screen.write(`${text}\n`)
    },
    stop() {},
  }
}

/** A learning rate as it is printed. */
export const rateText = (rate: number): string => String(Number(rate.toPrecision(3)))

/** How fast it goes: over the steps of this process. */
class Pace {
  readonly #start = performance.now()
  readonly #before: number
  #pictures = 0

  constructor(before: number) {
    this.#before = before
  }

  after({ steps, pictures }: Reading, all: number): { perSecond: string; left: string } {
    this.#pictures += pictures
    const seconds = (performance.now() - this.#start) / 1000
    const left = ((all - steps) * seconds) / (steps - this.#before)
    return { perSecond: (this.#pictures / seconds).toFixed(0), left: durationText(left) }
  }
}

/** A duration as it is printed: 42 s, 3 min 05 s, 2 h 07 min. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  const pad = (n: number): string => String(n).padStart(2, '0')
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
}
