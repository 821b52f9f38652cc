import type { Worker } from 'node:worker_threads'
import { Failure, messageOf } from '../failure.ts'
import type { Html } from '../report/page.ts'
import { startWorker } from '../worker-thread.ts'
import type { PageMessage, ServerMessage } from './server.ts'

/** The port of the live page unless it is in use. */
export const defaultPort = 7007

/** `--watch`: a port, or true for the default one. */
export type WatchOption = number | true

/** What is reported after each train step. */
interface StepReport {
  /** Steps taken since the run started, in this process or an earlier one. */
  readonly steps: number
  /** Images in the step's batch. */
  readonly images: number
  readonly loss: number
}

/**
 * A page that shows the report of a training while it runs. A worker thread renders and serves it, so that
 * it loads while this thread is blocked, and takes no time from it. No error of the page ends the training.
 */
export class LivePage {
  readonly address: string
  readonly #worker: Worker
  readonly #closed: Promise<void>

  /**
   * Starts to serve a page on 127.0.0.1. If no port is named and the default port is in use, another one
   * is chosen.
   *
   * @param write - receives status lines.
   * @throws {Failure} If the named port cannot be used.
   */
  static async open(option: WatchOption, write: (line: string) => void): Promise<LivePage> {
    const worker = startWorker(new URL('./server', import.meta.url), {
      port: option === true ? defaultPort : option,
      fallback: option === true,
    })
    const { port, error } = await new Promise<ServerMessage>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    if (error !== undefined) throw new Failure(`--watch: port ${port} cannot be used: ${error}`)
    const page = new LivePage(worker, port, write)
    const taken = option === true && port !== defaultPort ? ` (port ${defaultPort} is in use)` : ''
    write(`watch      ${page.address}${taken}`)
    return page
  }

  private constructor(worker: Worker, port: number, write: (line: string) => void) {
    this.address = `http://127.0.0.1:${port}/`
    this.#worker = worker
    worker.removeAllListeners('error')
    worker.on('error', (error) =>
      write(`the live page has ended: ${messageOf(error)}; the training continues`),
    )
    this.#closed = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.unref()
  }

  /** Shows the report of a run from now on. Its step count is `steps`. */
  showRun(path: string, steps: number): void {
    this.#post({ kind: 'run', path, steps })
  }

  /** Shows the report of a comparison above that of its current run, which `heading` names. */
  showComparison(heading: string, content: readonly Html[]): void {
    this.#post({ kind: 'comparison', heading, content: content.map(({ markup }) => markup) })
  }

  /** Adds a train step to the charts. */
  step({ steps, images, loss }: StepReport): void {
    this.#post({ kind: 'step', steps, images, loss })
  }

  /** Reads the files of the run again. */
  saved(): void {
    this.#post({ kind: 'saved' })
  }

  /** Shows a last status and stops serving, after all open pages have received it. */
  async end(state: 'finished' | 'interrupted' | 'failed', text: string): Promise<void> {
    this.#worker.ref()
    this.#post({ kind: 'end', state, text })
    await this.#closed
  }

  #post(message: PageMessage): void {
    this.#worker.postMessage(message)
  }
}
