import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { Divergence } from '../failure.ts'
import { endOf, type History } from '../run/history.ts'
import { exists, modifiedAt, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { resumeRun, startRun } from '../training/run.ts'
import { type Contender, runFolderName } from './contenders.ts'

/** One run of a comparison: a contender, a seed, and a run folder. */
export class ComparisonRun {
  readonly contender: string
  readonly seed: number
  readonly #config: Config
  readonly path: string

  /** @param parent - the folder of all runs. */
  constructor({ name, config }: Contender, seed: number, parent: string) {
    this.contender = name
    this.seed = seed
    this.#config = { ...config, seed }
    this.path = join(parent, `${runFolderName(name)}-seed-${seed}`)
  }

  /** The history of a finished run; undefined before. */
  async result(): Promise<History | undefined> {
    const folder = await RunFolder.find(this.path)
    const history = await folder?.history()
    return history && endOf(history, this.#config) !== undefined ? history : undefined
  }

  /** The error message of a run that diverged; undefined otherwise. */
  async failure(): Promise<string | undefined> {
    return (await exists(this.#failureFile)) ? readFile(this.#failureFile, 'utf8') : undefined
  }

  /** Starts or resumes the run, and trains to the end, until it diverges, or until the signal aborts. */
  async train(dataset: Dataset, context: CommandContext): Promise<void> {
    try {
      if (await RunFolder.find(this.path))
        await resumeRun(this.path, context, { dataPath: this.#config.data, dataset })
      else await startRun(this.#config, this.path, context, dataset)
    } catch (error) {
      if (!(error instanceof Divergence)) throw error
      context.screen.write(`${error.message}\n`)
      await replaceFile(this.#failureFile, Buffer.from(error.message))
    }
  }

  /** Writes the report of a finished run unless it is up to date, and deletes its checkpoints. */
  async finish(keepCheckpoints: boolean): Promise<void> {
    const folder = new RunFolder(this.path)
    const trained = await modifiedAt(folder.pathOf('history.json'))
    const reported = await modifiedAt(folder.pathOf('report.html'))
    if (reported <= trained) {
      const { writeRunReport } = await import('../report/run-report.ts') // Charts load slowly.
      await writeRunReport(folder)
    }
    if (!keepCheckpoints) await folder.deleteCheckpoints()
  }

  get #failureFile(): string {
    return join(this.path, 'failure.txt')
  }
}
