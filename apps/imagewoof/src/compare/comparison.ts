import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import type { Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'
import { describeOwner, type LockOwner } from '../lock.ts'
import type { Provider } from '../provider.ts'
import { describeEnvironment, type Environment, requireSameData } from '../run/environment.ts'
import type { History } from '../run/history.ts'
import { createFolder, exists, ownFolder, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { hasParent } from '../terminal/parent.ts'
import { openData } from '../training/session.ts'
import { ComparisonRun } from './comparison-run.ts'
import { type ComparisonPlan, withSettings } from './contenders.ts'
import { type Trial, withBestRates } from './tuning.ts'

export interface FinishedRun {
  readonly contender: string
  readonly seed: number
  readonly history: History
}

/** A run that diverged. */
interface FailedRun {
  readonly contender: string
  readonly seed: number
  readonly reason: string
}

/** A run that has not ended. */
export interface RemainingRun {
  /** From 0, by seed, then by contender: the number of `--trial`. */
  readonly number: number
  readonly name: string
  /** The other process that trains it; undefined if none does. */
  readonly owner: LockOwner | undefined
}

/**
 * A comparison in its folder: one run for each contender and seed, all on the same data. Before them, one
 * run for each contender and learning rate of its grid, if it has one.
 */
export class Comparison {
  readonly path: string
  #plan: ComparisonPlan

  /**
   * Creates the folder of a comparison, which this process owns.
   *
   * @throws {Failure} If the folder exists, or cannot be created.
   */
  static async create(
    path: string,
    plan: ComparisonPlan,
    dataset: Dataset,
    provider?: Provider,
  ): Promise<Comparison> {
    const resolved = withSettings(plan)
    const environment = describeEnvironment(dataset, resolved.contenders[0].config, provider)
    await createFolder(path, 'folder', async (temporary) => {
      await mkdir(runsFolder(temporary))
      await writeJson(environmentFile(temporary), environment)
      await writeJson(planFile(temporary), resolved)
    })
    const comparison = new Comparison(path, resolved)
    await comparison.own()
    return comparison
  }

  /** Opens a comparison; undefined if the folder does not hold one. */
  static async open(path: string): Promise<Comparison | undefined> {
    return (await exists(planFile(path)))
      ? new Comparison(path, JSON.parse(await readFile(planFile(path), 'utf8')))
      : undefined
  }

  private constructor(path: string, plan: ComparisonPlan) {
    this.path = path
    this.#plan = plan
  }

  /**
   * Makes this process the owner of the comparison, the only one that writes in its folder, until it exits.
   *
   * @throws {Failure} If another process owns it.
   */
  own(): Promise<void> {
    return ownFolder(this.path, `the comparison ${this.path}`)
  }

  get plan(): ComparisonPlan {
    return this.#plan
  }

  /** The environment and data that the comparison was started with. */
  async environment(): Promise<Environment> {
    return JSON.parse(await readFile(environmentFile(this.path), 'utf8'))
  }

  /**
   * Opens the data of all runs.
   *
   * @param dataPath - the new path of the data, if it was moved. It is saved in compare.json.
   * @throws {Failure} If the data has changed.
   */
  async openData(context: CommandContext, dataPath?: string): Promise<Dataset> {
    const plan = withSettings(this.plan, dataPath === undefined ? {} : { data: dataPath })
    const dataset = await openData(plan.contenders[0].config, context)
    requireSameData(dataset, await this.environment(), this.path)
    if (dataPath !== undefined) await this.#savePlan(plan)
    this.#plan = plan
    return dataset
  }

  /**
   * Trains the unfinished trials, and chooses the learning rates by them; nothing without tuning, or if it
   * is complete. A trial that diverges does not stop the others.
   *
   * @param onRun - called before each trial with a line that names it.
   */
  async tune(context: CommandContext, onRun?: (heading: string) => Promise<void>): Promise<void> {
    if (!this.isTuning) return
    await this.#train('trial', this.#trials, () => this.#openTrialData(context), context, onRun)
    if (context.signal.aborted) return
    const contenders = withBestRates(this.plan.contenders, await this.trials())
    await this.#savePlan({ ...this.plan, contenders, tuned: true })
  }

  /**
   * Trains the unfinished runs, after tuning: all contenders with the first seed, then with the next. A run
   * that diverges does not stop the others; those of other processes are left to them.
   *
   * @param dataset - the data of the runs, if it is already open.
   * @param onRun - called before each run with a line that names it.
   */
  trainRemaining(
    context: CommandContext,
    dataset?: Dataset,
    onRun?: (heading: string) => Promise<void>,
  ): Promise<void> {
    const open = async () => dataset ?? this.openData(context)
    return this.#train('run', this.#runs, open, context, onRun)
  }

  async #train(
    kind: 'trial' | 'run',
    runs: readonly ComparisonRun[],
    open: () => Promise<Dataset>,
    context: CommandContext,
    onRun?: (heading: string) => Promise<void>,
  ): Promise<void> {
    let opened: Dataset | undefined
    for (const [i, run] of runs.entries()) {
      if (context.signal.aborted) return
      const heading = `${kind} ${i + 1} of ${runs.length} · ${run.name}`
      const owner = await run.otherOwner()
      if (owner) {
        context.screen.write(`${heading}: left to ${describeOwner(owner)}`)
        continue
      }
      if (await run.failure()) continue
      if (!(await run.result())) {
        opened ??= await open()
        context.screen.write(`${heading}\n`)
        await onRun?.(heading)
        await run.train(opened, context)
      }
      if (await run.result()) await run.finish(this.plan.keep)
    }
  }

  /** Opens the data of the trials, and checks that it is that of the first one. */
  async #openTrialData(context: CommandContext): Promise<Dataset> {
    const [first] = this.#trials
    const dataset = await openData(first.config, context)
    const environment = await (await RunFolder.find(first.path))?.environment()
    if (environment) requireSameData(dataset, environment, this.path)
    return dataset
  }

  async #savePlan(plan: ComparisonPlan): Promise<void> {
    await writeJson(planFile(this.path), plan)
    this.#plan = plan
  }

  /**
   * Trains one run, or continues it; of one that has ended, says so. Needs the run, not the comparison:
   * several processes may each train one at once.
   *
   * @param number - of the run, from 0.
   * @throws {Failure} If there is no such run, another process owns it, or its learning rate is to be tuned.
   */
  async trainRun(number: number, context: CommandContext): Promise<void> {
    const run = this.#runs[number]
    if (run === undefined)
      throw new Failure(`--trial must be 0 to ${this.runCount - 1}, but is ${number}`)
    if (this.isTuning)
      throw new Failure(
        `--trial needs tuned learning rates, but those of ${this.path} are to be chosen; resume it without --trial`,
      )
    if (!hasParent()) context.screen.write(`trial ${number} · ${run.name}`)
    const diverged = await run.failure()
    if (diverged !== undefined) return context.screen.write(diverged)
    if (await run.result()) context.screen.write(`${run.path} is finished`)
    else await run.train(await this.openData(context), context)
    if (await run.result()) await run.finish(this.plan.keep)
  }

  /** The runs that have not ended, by their number from 0, and whether another process trains them. */
  async remainingRuns(): Promise<readonly RemainingRun[]> {
    const remaining: RemainingRun[] = []
    for (const [number, run] of this.#runs.entries()) {
      const hasEnded = (await run.failure()) ?? (await run.result())
      if (!hasEnded) remaining.push({ number, name: run.name, owner: await run.otherOwner() })
    }
    return remaining
  }

  /** Deletes the folder if no run has started: the error that stopped the first would stop all others. */
  async deleteIfEmpty(): Promise<void> {
    const isEmpty = (await readdir(runsFolder(this.path))).length === 0
    if (isEmpty && !(await exists(trialsFolder(this.path))))
      await rm(this.path, { recursive: true })
  }

  /** By seed, then by contender. */
  async finishedRuns(): Promise<readonly FinishedRun[]> {
    const finished: FinishedRun[] = []
    for (const run of this.#runs) {
      const history = await run.result()
      if (history) finished.push({ contender: run.contender, seed: run.config.seed, history })
    }
    return finished
  }

  /** By seed, then by contender. */
  async failedRuns(): Promise<readonly FailedRun[]> {
    const failed: FailedRun[] = []
    for (const run of this.#runs) {
      const reason = await run.failure()
      if (reason) failed.push({ contender: run.contender, seed: run.config.seed, reason })
    }
    return failed
  }

  /** All trials, by contender, then by learning rate; none without tuning. */
  trials(): Promise<readonly Trial[]> {
    return Promise.all(
      this.#trials.map(async (run) => ({
        contender: run.contender,
        rate: run.config.learningRate,
        history: await run.result(),
        diverged: (await run.failure()) !== undefined,
      })),
    )
  }

  /** Writes the last epoch of every finished run to comparison.csv. */
  async saveTable(): Promise<void> {
    const rows = (await this.finishedRuns()).map(({ contender, seed, history }) => ({
      contender,
      seed,
      ...history.epochs[history.epochs.length - 1],
    }))
    await replaceFile(
      join(this.path, 'comparison.csv'),
      Buffer.from(stringify(rows, { header: true })),
    )
  }

  /** Whether every run is complete, or diverged. */
  async isFinished(): Promise<boolean> {
    const ended = [...(await this.finishedRuns()), ...(await this.failedRuns())]
    return ended.length === this.runCount
  }

  /** Whether the learning rates are yet to be chosen. */
  get isTuning(): boolean {
    return this.#trials.length > 0 && this.plan.tuned !== true
  }

  /** Number of runs, finished or not, without trials. */
  get runCount(): number {
    return this.plan.contenders.length * this.plan.seeds.length
  }

  /** By seed, then by contender. */
  get #runs(): readonly ComparisonRun[] {
    const { contenders, seeds } = this.plan
    return seeds.flatMap((seed) =>
      contenders.map((contender) => ComparisonRun.ofSeed(contender, seed, runsFolder(this.path))),
    )
  }

  /** By contender, then by learning rate. */
  get #trials(): readonly ComparisonRun[] {
    const { contenders, seeds } = this.plan
    const parent = trialsFolder(this.path)
    return contenders.flatMap((contender) =>
      (contender.rates ?? []).map((rate) => ComparisonRun.ofRate(contender, rate, seeds, parent)),
    )
  }
}

const planFile = (path: string): string => join(path, 'compare.json')
const environmentFile = (path: string): string => join(path, 'environment.json')
const runsFolder = (path: string): string => join(path, 'runs')
const trialsFolder = (path: string): string => join(path, 'tuning')

const writeJson = (path: string, value: unknown): Promise<void> =>
  replaceFile(path, Buffer.from(JSON.stringify(value, undefined, 1)))
