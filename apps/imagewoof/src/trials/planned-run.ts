import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { Divergence, FolderExists } from '../failure.ts'
import type { LockOwner } from '../lock.ts'
import { endOf, type History, hasReached } from '../run/history.ts'
import { exists, modifiedAt, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { resumeRun, startRun } from '../training/run.ts'

/** One run of a plan. It needs nothing but its configuration and its folder. */
export class PlannedRun {
  /** As progress and messages call it. */
  readonly name: string
  readonly config: Config
  readonly path: string

  constructor(name: string, config: Config, path: string) {
    this.name = name
    this.config = config
    this.path = path
  }

  /** The history so far; undefined before the run has started. */
  async history(): Promise<History | undefined> {
    return (await RunFolder.find(this.path))?.history()
  }

  /** The history of a finished run; undefined before. */
  async result(): Promise<History | undefined> {
    const history = await this.history()
    return history && endOf(history, this.config) !== undefined ? history : undefined
  }

  /** Whether the run is finished, or so many epochs are complete. */
  async hasReached(until: number): Promise<boolean> {
    const history = await this.history()
    return history !== undefined && hasReached(history, this.config, until)
  }

  /** The error message of a run that diverged; undefined otherwise. */
  async failure(): Promise<string | undefined> {
    return (await exists(this.#failureFile)) ? readFile(this.#failureFile, 'utf8') : undefined
  }

  /** The other process that trains the run; undefined if none does. */
  async otherOwner(): Promise<LockOwner | undefined> {
    return (await RunFolder.find(this.path))?.otherOwner()
  }

  /**
   * Starts or resumes the run, and trains until so many epochs are complete, to its end, until it diverges,
   * or until the signal aborts.
   *
   * @throws {Failure} If another process owns the run.
   */
  async train(dataset: Dataset, context: CommandContext, until: number): Promise<void> {
    const resume = async (): Promise<void> => {
      await new RunFolder(this.path).own()
      // Its former owner may have finished it, and deleted its checkpoints, since this process looked.
      if (await this.hasReached(until)) return
      await resumeRun(this.path, context, { dataset, until })
    }
    try {
      if (await RunFolder.find(this.path)) await resume()
      else
        await startRun(this.config, this.path, context, { dataset, until }).catch((error) => {
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
