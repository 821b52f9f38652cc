import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import type { Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'
import { requireSameData } from '../run/environment.ts'
import type { History } from '../run/history.ts'
import { exists, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData } from '../training/session.ts'
import {
  createPlanFolder,
  type OnRun,
  readPlan,
  runsFolder,
  TrialPlan,
  writeJson,
} from '../trials/plan.ts'
import type { PlannedRun } from '../trials/planned-run.ts'
import { type ComparisonPlan, seedRun, withAbsolutePathsOf } from './contenders.ts'
import { rateRun, type Trial, withBestRates } from './tuning.ts'

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

/**
 * A comparison in its folder: one run for each contender and seed, all on the same data. Before them, one
 * run for each contender and learning rate of its grid, if it has one.
 */
export class Comparison extends TrialPlan {
  readonly kind = 'comparison'
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
    context: CommandContext,
  ): Promise<Comparison> {
    const resolved = withAbsolutePathsOf(plan)
    const [{ config }] = resolved.contenders
    await createPlanFolder(path, planFile, resolved, config, dataset, context)
    const comparison = new Comparison(path, resolved)
    await comparison.own()
    return comparison
  }

  /** Opens a comparison; undefined if the folder does not hold one. */
  static async open(path: string): Promise<Comparison | undefined> {
    const plan = await readPlan<ComparisonPlan>(path, planFile)
    return plan && new Comparison(path, plan)
  }

  private constructor(path: string, plan: ComparisonPlan) {
    super(path)
    this.#plan = plan
  }

  get plan(): ComparisonPlan {
    return this.#plan
  }

  get keep(): boolean {
    return this.plan.keep
  }

  /**
   * Trains the unfinished trials, and chooses the learning rates by them; nothing without tuning, or if it
   * is complete. A trial that diverges does not stop the others.
   *
   * @param onRun - called before each trial with a line that names it.
   */
  async tune(context: CommandContext, onRun?: OnRun): Promise<void> {
    if (!this.isTuning) return
    const trials = this.#trials
    const targets = trials.map(({ config }) => ({ until: config.epochs, isFinal: true }))
    let dataset: Dataset | undefined
    const open = async (): Promise<Dataset> => {
      dataset ??= await this.#openTrialData(context)
      return dataset
    }
    await this.trainEach('trial', trials, targets, open, context, onRun)
    if (context.signal.aborted) return
    const contenders = withBestRates(this.plan.contenders, await this.trials())
    await this.#savePlan({ ...this.plan, contenders, tuned: true })
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
    await writeJson(join(this.path, planFile), plan)
    this.#plan = plan
  }

  /** @throws {Failure} If learning rates are to be tuned. */
  protected override requireReady(): void {
    if (this.isTuning)
      throw new Failure(
        `--trial needs tuned learning rates, but those of ${this.path} are to be chosen; resume it without --trial`,
      )
  }

  override async deleteIfEmpty(): Promise<void> {
    if (!(await exists(tuningFolder(this.path)))) await super.deleteIfEmpty()
  }

  /** By seed, then by contender. */
  async finishedRuns(): Promise<readonly FinishedRun[]> {
    const finished: FinishedRun[] = []
    for (const { run, contender, seed } of this.#seedRuns) {
      const history = await run.result()
      if (history) finished.push({ contender, seed, history })
    }
    return finished
  }

  /** By seed, then by contender. */
  async failedRuns(): Promise<readonly FailedRun[]> {
    const failed: FailedRun[] = []
    for (const { run, contender, seed } of this.#seedRuns) {
      const reason = await run.failure()
      if (reason) failed.push({ contender, seed, reason })
    }
    return failed
  }

  /** All trials, by contender, then by learning rate; none without tuning. */
  trials(): Promise<readonly Trial[]> {
    return Promise.all(
      this.#rateRuns.map(async ({ run, contender, rate }) => ({
        contender,
        rate,
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

  /** Whether the learning rates are yet to be chosen. */
  get isTuning(): boolean {
    return this.#trials.length > 0 && this.plan.tuned !== true
  }

  get runs(): readonly PlannedRun[] {
    return this.#seedRuns.map(({ run }) => run)
  }

  /** By seed, then by contender. */
  get #seedRuns() {
    const { contenders, seeds } = this.plan
    return seeds.flatMap((seed) =>
      contenders.map((contender) => ({
        contender: contender.name,
        seed,
        run: seedRun(contender, seed, runsFolder(this.path)),
      })),
    )
  }

  get #trials(): readonly PlannedRun[] {
    return this.#rateRuns.map(({ run }) => run)
  }

  /** By contender, then by learning rate. */
  get #rateRuns() {
    const { contenders, seeds } = this.plan
    return contenders.flatMap((contender) =>
      (contender.rates ?? []).map((rate) => ({
        contender: contender.name,
        rate,
        run: rateRun(contender, rate, seeds, tuningFolder(this.path)),
      })),
    )
  }
}

const planFile = 'compare.json'
const tuningFolder = (path: string): string => join(path, 'tuning')
