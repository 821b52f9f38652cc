import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { Divergence, FolderExists } from '../failure.ts'
import type { LockOwner } from '../lock.ts'
import { endOf, type History } from '../run/history.ts'
import { exists, modifiedAt, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { resumeRun, startRun } from '../training/run.ts'
import { type Contender, runFolderName } from './contenders.ts'
import { trialConfig } from './tuning.ts'

/**
 * One run of a comparison, with a seed or a learning rate of its own. It needs nothing but its
 * configuration and its folder.
 */
export class ComparisonRun {
  readonly contender: string
  readonly config: Config
  readonly path: string
  /** What distinguishes it from the other runs of its contender: `seed 1`, `learning rate 0.002`. */
  readonly variant: string

  /**
   * @param variant - see above.
   * @param parent - the folder of all runs.
   */
  constructor(contender: string, config: Config, variant: string, parent: string) {
    this.contender = contender
    this.config = config
    this.variant = variant
    this.path = join(parent, `${runFolderName(contender)}-${variant.replaceAll(' ', '-')}`)
  }

  /** The run of a contender with a seed. */
  static ofSeed({ name, config }: Contender, seed: number, parent: string): ComparisonRun {
    return new ComparisonRun(name, { ...config, seed }, `seed ${seed}`, parent)
  }

  /**
   * The trial of a contender with a learning rate.
   *
   * @param seeds - of the comparison.
   */
  static ofRate(
    { name, config }: Contender,
    rate: number,
    seeds: readonly number[],
    parent: string,
  ): ComparisonRun {
    const own = trialConfig(config, rate, seeds)
    return new ComparisonRun(name, own, `learning rate ${rate}`, parent)
  }

  /** The history of a finished run; undefined before. */
  async result(): Promise<History | undefined> {
    const folder = await RunFolder.find(this.path)
    const history = await folder?.history()
    return history && endOf(history, this.config) !== undefined ? history : undefined
  }

  /** The error message of a run that diverged; undefined otherwise. */
  async failure(): Promise<string | undefined> {
    return (await exists(this.#failureFile)) ? readFile(this.#failureFile, 'utf8') : undefined
  }

  /** As progress and messages call it. */
  get name(): string {
    return `${this.contender} · ${this.variant}`
  }

  /** The other process that trains the run; undefined if none does. */
  async otherOwner(): Promise<LockOwner | undefined> {
    return (await RunFolder.find(this.path))?.otherOwner()
  }

  /**
   * Starts or resumes the run, and trains to the end, until it diverges, or until the signal aborts.
   *
   * @throws {Failure} If another process owns the run.
   */
  async train(dataset: Dataset, context: CommandContext): Promise<void> {
    const resume = async (): Promise<void> => {
      await new RunFolder(this.path).own()
      // Its former owner may have finished it, and deleted its checkpoints, since this process looked.
      if (await this.result()) return
      await resumeRun(this.path, context, { dataPath: this.config.data, dataset })
    }
    try {
      if (await RunFolder.find(this.path)) await resume()
      else
        await startRun(this.config, this.path, context, dataset).catch((error) => {
          // Another process has started the run at the same time: it owns it, or has just ended.
          if (!(error instanceof FolderExists)) throw error
          return resume()
        })
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
