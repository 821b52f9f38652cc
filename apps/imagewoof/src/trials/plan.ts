import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'
import { describeOwner, type LockOwner } from '../lock.ts'
import { describeEnvironment, type Environment, requireSameData } from '../run/environment.ts'
import { createFolder, exists, ownFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { hasParent } from '../terminal/parent.ts'
import { openData } from '../training/session.ts'
import type { PlannedRun } from './planned-run.ts'

/** A run that is to be trained now. */
export interface RemainingRun {
  /** From 0: the number of `--trial`. */
  readonly number: number
  readonly name: string
  /** The number of epochs to complete for now. */
  readonly until: number
  /** The other process that trains it; undefined if none does. */
  readonly owner: LockOwner | undefined
}

/** How far a run of a plan is to be trained. */
export interface Target {
  /** The number of epochs to complete for now. */
  readonly until: number
  /** Whether the run is never trained any further. */
  readonly isFinal: boolean
}

/** Called before each run with a line that names it. */
export type OnRun = (heading: string) => Promise<void>

/**
 * A plan in its folder: numbered runs on the same data, each in a folder of its own. Whatever executes it,
 * in one process or in many, trains what `remainingRuns` lists until that is empty: each run to its target,
 * which depends on nothing but the plan and the histories of the runs.
 */
export abstract class TrialPlan {
  readonly path: string
  /** What the plan is, as messages call it. */
  abstract readonly kind: string
  /** All runs, in the order of their numbers. */
  abstract readonly runs: readonly PlannedRun[]
  /** Whether finished runs keep their checkpoints, which are large. */
  abstract readonly keep: boolean

  constructor(path: string) {
    this.path = path
  }

  /** How far each run is to be trained now. By default to its end. */
  async targets(): Promise<readonly Target[]> {
    return this.runs.map(({ config }) => ({ until: config.epochs, isFinal: true }))
  }

  /** How often all runs are to be trained to their targets until none is trained further. */
  get rounds(): number {
    return 1
  }

  /** What is trained now, in a line; undefined if there is one round. */
  async status(): Promise<string | undefined> {
    return undefined
  }

  /**
   * Makes this process the owner of the plan, the only one that writes in its folder, until it exits.
   *
   * @throws {Failure} If another process owns it.
   */
  own(): Promise<void> {
    return ownFolder(this.path, `the ${this.kind} ${this.path}`)
  }

  /** The environment and data that the plan was made with. */
  async environment(): Promise<Environment> {
    return readJson(environmentFile(this.path))
  }

  /**
   * Opens the data of all runs.
   *
   * @throws {Failure} If the data has changed.
   */
  async openData(context: CommandContext): Promise<Dataset> {
    const dataset = await openData(this.runs[0].config, context)
    requireSameData(dataset, await this.environment(), this.path)
    return dataset
  }

  /** @throws {Failure} If runs cannot be trained in any order yet. */
  protected requireReady(): void {}

  /**
   * Trains the remaining runs to their targets, in the order of their numbers. A run that diverges does not
   * stop the others; those of other processes are left to them.
   *
   * @param open - provides the data of the runs.
   * @param onRun - called before each run with a line that names it.
   */
  async trainRemaining(
    context: CommandContext,
    open: () => Promise<Dataset> = () => this.openData(context),
    onRun?: OnRun,
  ): Promise<void> {
    await this.trainEach('run', this.runs, await this.targets(), open, context, onRun)
  }

  /** Trains runs to their targets, one after the other. See `trainRemaining`. */
  protected async trainEach(
    what: string,
    runs: readonly PlannedRun[],
    targets: readonly Target[],
    open: () => Promise<Dataset>,
    context: CommandContext,
    onRun?: OnRun,
  ): Promise<void> {
    for (const [i, run] of runs.entries()) {
      if (context.signal.aborted) return
      const { until, isFinal } = targets[i]
      const heading = `${what} ${i + 1} of ${runs.length} · ${run.name}`
      const owner = await run.otherOwner()
      if (owner) {
        context.screen.write(`${heading}: left to ${describeOwner(owner)}`)
        continue
      }
      if (await run.failure()) continue
      if (!(await run.hasReached(until))) {
        const dataset = await open()
        context.screen.write(`${heading}\n`)
        await onRun?.(heading)
        await run.train(dataset, context, until)
      }
      if (isFinal && (await run.hasReached(until))) await run.finish(this.keep)
    }
  }

  /**
   * Trains one run to its target, or continues it; of one that is there, says so. Needs the run, not the
   * plan: several processes may each train one at once.
   *
   * @param number - of the run, from 0.
   * @throws {Failure} If there is no such run, another process owns it, or runs are not ready to be trained.
   */
  async trainRun(number: number, context: CommandContext): Promise<void> {
    const run = this.runs[number]
    if (run === undefined)
      throw new Failure(`--trial must be 0 to ${this.runCount - 1}, but is ${number}`)
    this.requireReady()
    if (!hasParent()) context.screen.write(`trial ${number} · ${run.name}`)
    const diverged = await run.failure()
    if (diverged !== undefined) return context.screen.write(diverged)
    const { until, isFinal } = (await this.targets())[number]
    if (await run.hasReached(until)) context.screen.write(await this.#stateOf(run, until, isFinal))
    else await run.train(await this.openData(context), context, until)
    if (isFinal && (await run.hasReached(until))) await run.finish(this.keep)
  }

  /** Why a run is not trained now. */
  async #stateOf(run: PlannedRun, until: number, isFinal: boolean): Promise<string> {
    if (await run.result()) return `${run.path} is finished`
    return isFinal
      ? `${run.path} has ended after epoch ${until}: others were better`
      : `${run.path} waits after epoch ${until} until the others have come as far`
  }

  /** The runs to train now, by their number from 0, and whether another process trains them. */
  async remainingRuns(): Promise<readonly RemainingRun[]> {
    const remaining: RemainingRun[] = []
    const targets = await this.targets()
    for (const [number, run] of this.runs.entries()) {
      const { name } = run
      const { until } = targets[number]
      const isOpen = (await run.failure()) === undefined && !(await run.hasReached(until))
      if (isOpen) remaining.push({ number, name, until, owner: await run.otherOwner() })
    }
    return remaining
  }

  /** Writes the reports of finished runs that other processes have trained, and deletes their checkpoints. */
  async finishRuns(): Promise<void> {
    const targets = await this.targets()
    for (const [number, run] of this.runs.entries()) {
      const { until, isFinal } = targets[number]
      const isFinished = isFinal && (await run.hasReached(until)) && !(await run.otherOwner())
      if (isFinished) await run.finish(this.keep)
    }
  }

  /** Writes a row for each run to a .csv file. */
  abstract saveTable(): Promise<void>

  /** Whether every run has ended. */
  async isFinished(): Promise<boolean> {
    return (await this.remainingRuns()).length === 0
  }

  /** Number of runs, finished or not. */
  get runCount(): number {
    return this.runs.length
  }

  /** Deletes the folder if no run has started: the error that stopped the first would stop all others. */
  async deleteIfEmpty(): Promise<void> {
    if ((await readdir(runsFolder(this.path))).length === 0)
      await rm(this.path, { recursive: true })
  }
}

/** The folder of a plan's runs. */
export const runsFolder = (path: string): string => join(path, 'runs')

const environmentFile = (path: string): string => join(path, 'environment.json')

/**
 * Creates the folder of a plan.
 *
 * @param file - its name, such as `compare.json`.
 * @param plan - the content of the file.
 * @param config - of the first run.
 * @throws {Failure} If the folder exists, or cannot be created.
 */
export async function createPlanFolder(
  path: string,
  file: string,
  plan: object,
  config: Config,
  dataset: Dataset,
  context: CommandContext,
): Promise<void> {
  const environment = describeEnvironment(dataset, config, context)
  await createFolder(path, 'folder', async (temporary) => {
    await mkdir(runsFolder(temporary))
    await writeJson(environmentFile(temporary), environment)
    await writeJson(join(temporary, file), plan)
  })
}

/** Reads the file of a plan; undefined if the folder has none. */
export async function readPlan<T>(path: string, file: string): Promise<T | undefined> {
  return (await exists(join(path, file))) ? readJson(join(path, file)) : undefined
}

// The files are written by this program.
const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8'))

export const writeJson = (path: string, value: unknown): Promise<void> =>
  replaceFile(path, Buffer.from(JSON.stringify(value, undefined, 1)))
