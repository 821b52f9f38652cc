import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { Divergence } from '../failure.ts'
import { writeRunReport } from '../report/run-report.ts'
import { exists, RunFolder } from '../run/run-folder.ts'
import type { History } from '../training/history.ts'
import { resumeRun, startRun } from '../training/run.ts'
import type { Surface } from '../training/surface.ts'
import type { Contender } from './contender.ts'

/** One run of a comparison: a contender from a seed, in a folder. */
export class Entry {
  readonly contender: string
  readonly seed: number
  readonly #config: Config
  readonly #path: string

  constructor({ name, config }: Contender, seed: number, runs: string) {
    this.contender = name
    this.seed = seed
    this.#config = { ...config, seed }
    this.#path = join(runs, `${name.replace(/[^\w.]+/g, '-')}-seed-${seed}`)
  }

  /** What it gave, if all epochs were seen, and the last checkpoint written. */
  async result(): Promise<History | undefined> {
    const folder = await RunFolder.find(this.#path)
    const history = await folder?.history()
    return history && history.epochs.length >= this.#config.epochs ? history : undefined
  }

  /** Why it ended badly, if it did, such as by a loss that is not finite. */
  async failure(): Promise<string | undefined> {
    return (await exists(this.#failure)) ? readFile(this.#failure, 'utf8') : undefined
  }

  /** Trains to the end, to a failure, or until the signal aborts. */
  async make(dataset: Dataset, surface: Surface): Promise<void> {
    try {
      if (await RunFolder.find(this.#path))
        await resumeRun(this.#path, surface, this.#config.data, dataset)
      else {
        // A kill may have left a folder in which no run had begun.
        await rm(this.#path, { recursive: true, force: true })
        await startRun(this.#config, this.#path, surface, dataset)
      }
    } catch (error) {
      if (!(error instanceof Divergence)) throw error
      surface.screen.write(`${error.message}\n`)
      await replaceFile(this.#failure, Buffer.from(error.message))
    }
  }

  /**
   * Does what is left to do for a finished run.
   *
   * @param keep - whether checkpoints stay.
   */
  async conclude(keep: boolean): Promise<void> {
    const folder = new RunFolder(this.#path)
    const [seen, reported] = [
      await changed(folder.pathOf('history.json')),
      await changed(folder.pathOf('report.html')),
    ]
    if (reported <= seen) await writeRunReport(folder)
    if (!keep) await folder.forgetCheckpoints()
  }

  get #failure(): string {
    return join(this.#path, 'failure.txt')
  }
}

/** When a file was changed, in milliseconds; 0 if it is not there. */
const changed = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
