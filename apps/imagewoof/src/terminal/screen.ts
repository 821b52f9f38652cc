import cliTruncate from 'cli-truncate'
import { formatDuration } from '../format.ts'

/** Standard output or standard error: a terminal, a pipe or a file. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  /** Size of the terminal. */
  readonly columns?: number
  readonly rows?: number
}

/** The progress of a task. */
export interface Progress {
  /** Such as `decoding`. */
  readonly task: string
  readonly done: number
  /** Undefined if it is not known. */
  readonly total: number | undefined
  /** The most important one first: where a line is too long for the terminal, the last are left out. */
  readonly details: readonly string[]
}

const barLength = 20
const redrawMilliseconds = 1000 / 15

/**
 * Writes messages and progress bars below them, so that neither overwrites the other.
 *
 * The cursor waits, visible, at the start of the first bar, and bars are shorter than a line. So there is
 * no mode of the terminal to restore, however the process ends; and clearing from the cursor on also
 * clears the lines that a terminal makes of a bar when it becomes narrower.
 *
 * Where bars cannot be drawn (a file, a pipe, a CI log, a dumb terminal), lines show the progress: each
 * after a tenth of the time so far, and after ten seconds at least.
 */
export class Screen {
  readonly #stream: OutputStream
  readonly #drawsBars: boolean
  #progress: readonly Progress[] = []
  #isDrawn = false
  #isListening = false
  #drawn = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #started = 0
  #closed = false

  constructor(stream: OutputStream, environment: NodeJS.ProcessEnv = process.env) {
    const { TERM, NO_COLOR, CI } = environment
    this.#stream = stream
    this.#drawsBars = Boolean(stream.isTTY) && TERM !== 'dumb' && !NO_COLOR && !CI
  }

  /** Writes lines, above the bars if there are any. */
  write(text: string): void {
    const lines = text.endsWith('\n') ? text : `${text}\n`
    this.#stream.write(this.#drawsBars ? `\r\x1b[J${lines}${this.#barText()}` : lines)
  }

  /** Shows the progress of a task, and hides that of the previous task. */
  show(progress: Progress): void {
    this.showAll([progress])
  }

  /**
   * Shows the progress of several tasks, a bar for each that fits on the screen, and hides that of the
   * previous ones.
   *
   * @param progress - of at least one task. The first lasts while the others come and go.
   */
  showAll(progress: readonly Progress[]): void {
    if (this.#closed) return
    const [previous] = this.#progress
    this.#progress = progress
    if (previous?.task !== progress[0].task) this.#start()
    if (this.#drawsBars) this.#drawSoon()
    else this.#writeProgress()
  }

  /** Hides the progress. */
  hide(): void {
    this.#progress = []
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#isListening) return
    this.#isListening = false
    this.#stream.off('resize', this.#draw)
    process.off('exit', this.#clear)
    process.off('uncaughtExceptionMonitor', this.#clear)
    this.#clear()
  }

  /** Hides the progress for good, so that a process that is killed from now on leaves no bar. */
  close(): void {
    this.hide()
    this.#closed = true
  }

  #start(): void {
    this.#started = performance.now()
    this.#drawn = this.#started
    if (!this.#drawsBars) return
    this.#drawn = Number.NEGATIVE_INFINITY
    if (this.#isListening) return
    this.#isListening = true
    this.#stream.on('resize', this.#draw)
    process.on('exit', this.#clear)
    process.on('uncaughtExceptionMonitor', this.#clear)
  }

  #drawSoon(): void {
    if (this.#timer) return
    const wait = this.#drawn + redrawMilliseconds - performance.now()
    this.#timer = setTimeout(this.#draw, Math.max(wait, 0)).unref()
  }

  readonly #draw = (): void => {
    this.#timer = undefined
    this.#drawn = performance.now()
    this.#stream.write(this.#barText())
    this.#isDrawn = true
  }

  readonly #clear = (): void => {
    if (this.#isDrawn) this.#stream.write('\r\x1b[J')
    this.#isDrawn = false
  }

  /** Replaces the lines from the cursor on by the bars, and returns the cursor to the start of the first. */
  #barText(): string {
    const { columns = 80, rows = 24 } = this.#stream
    const lines = this.#progress
      .slice(0, Math.max(rows - 1, 1))
      .map((progress) => barLine(progress, columns))
    if (lines.length === 0) return ''
    const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : ''
    // Wrapping is off within this text only: the terminal may have become narrower just now.
    return `\r\x1b[J\x1b[?7l${lines.join('\r\n')}\x1b[?7h\r${up}`
  }

  #writeProgress(): void {
    const now = performance.now()
    if (now - this.#drawn < Math.max(10_000, (now - this.#started) / 10)) return
    this.#drawn = now
    for (const { task, done, total, details } of this.#progress) {
      const share = total === undefined ? [] : [`${Math.floor((100 * done) / total)} %`]
      this.#stream.write(`${[task, ...share, ...details].join(' · ')}\n`)
    }
  }
}

/** A bar with its details, shorter than a line of the terminal. */
function barLine({ task, done, total, details }: Progress, columns: number): string {
  const share = total === undefined ? undefined : Math.min(done / Math.max(total, 1), 1)
  const head = share === undefined ? task : `${task} ${bar(share)} ${Math.floor(100 * share)} %`
  for (let count = details.length; count >= 0; count--) {
    const line = [head, ...details.slice(0, count)].join(' · ')
    if (cliTruncate(line, columns - 1) === line) return line
  }
  return cliTruncate(head, columns - 1)
}

function bar(share: number): string {
  const filled = Math.floor(share * barLength)
  return '█'.repeat(filled) + '░'.repeat(barLength - filled)
}

/** The time that the rest of a task takes at the mean speed so far. */
export class RemainingTime {
  readonly #started = performance.now()
  readonly #first: number

  /** @param first - what had been done before this task was resumed. */
  constructor(first: number) {
    this.#first = first
  }

  /** Such as `12 s left`; undefined before the first progress. */
  text(done: number, total: number): string | undefined {
    if (done <= this.#first) return undefined
    const seconds = (performance.now() - this.#started) / 1000
    return `${formatDuration(((total - done) * seconds) / (done - this.#first))} left`
  }
}
