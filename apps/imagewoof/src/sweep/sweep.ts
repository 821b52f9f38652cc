import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import { type Config, optionName } from '../config/config.ts'
import { argumentsFor } from '../config/options.ts'
import type { Dataset } from '../data/dataset.ts'
import { type EpochRow, endOf } from '../run/history.ts'
import type { CommandContext } from '../terminal/context.ts'
import { withAbsolutePaths } from '../training/run.ts'
import { createPlanFolder, readPlan, runsFolder, type Target, TrialPlan } from '../trials/plan.ts'
import { PlannedRun } from '../trials/planned-run.ts'
import {
  compareScores,
  type Rung,
  type RunProgress,
  type Score,
  type Standing,
  scoreAt,
  standings,
} from './halving.ts'
import { describeValues, type OptionValues, type SearchSpace } from './space.ts'

/** How the candidates of a sweep were chosen. */
export type SearchKind =
  | { readonly kind: 'grid' }
  | { readonly kind: 'random'; readonly count: number; readonly seed: number }

/** One of the compared configurations. */
interface Candidate {
  readonly values: OptionValues
  readonly config: Config
}

/** The candidates of a sweep, and how long each is trained: sweep.json. */
export interface SweepPlan {
  readonly search: SearchKind
  readonly space: SearchSpace
  /** Settings that all candidates share, as on the command line. */
  readonly settings: Partial<Config>
  readonly candidates: readonly Candidate[]
  /** One run of each candidate has each of them. */
  readonly seeds: readonly number[]
  readonly rungs: readonly Rung[]
}

/** A run of a candidate, and its number in the plan. */
interface CandidateRun {
  readonly number: number
  readonly seed: number
  /** The last epoch; undefined before the first one is complete. */
  readonly row: EpochRow | undefined
  readonly history: readonly EpochRow[]
  /** The error message of a run that diverged. */
  readonly failure: string | undefined
}

/** What a candidate has come to. */
export interface CandidateResult extends Standing {
  readonly name: string
  readonly values: OptionValues
  readonly config: Config
  /** By seed. */
  readonly runs: readonly CandidateRun[]
  /** Means over the seeds after the last epoch that all have completed; undefined before, and if one diverged. */
  readonly score: Score | undefined
}

/**
 * A sweep in its folder: one run for each candidate and seed, all on the same data. With successive halving,
 * each is trained to the epochs of a rung, and only the best ones then go to the next one.
 */
export class Sweep extends TrialPlan {
  readonly kind = 'sweep'
  readonly keep = false
  readonly runs: readonly PlannedRun[]
  readonly plan: SweepPlan

  /**
   * Creates the folder of a sweep, which this process owns.
   *
   * @throws {Failure} If the folder exists, or cannot be created.
   */
  static async create(
    path: string,
    plan: SweepPlan,
    dataset: Dataset,
    context: CommandContext,
  ): Promise<Sweep> {
    const candidates = plan.candidates.map(({ values, config }) => ({
      values,
      config: withAbsolutePaths(config),
    }))
    const resolved = { ...plan, candidates }
    await createPlanFolder(path, planFile, resolved, candidates[0].config, dataset, context)
    const sweep = new Sweep(path, resolved)
    await sweep.own()
    return sweep
  }

  /** Opens a sweep; undefined if the folder does not hold one. */
  static async open(path: string): Promise<Sweep | undefined> {
    const plan = await readPlan<SweepPlan>(path, planFile)
    return plan && new Sweep(path, plan)
  }

  private constructor(path: string, plan: SweepPlan) {
    super(path)
    this.plan = plan
    const { candidates, seeds } = plan
    // By seed, then by candidate, so that the first runs cover the search space.
    this.runs = seeds.flatMap((seed, s) =>
      candidates.map(({ values, config }, i) => {
        const number = s * candidates.length + i
        const digits = String(candidates.length * seeds.length - 1).length
        const folder = `trial-${String(number).padStart(digits, '0')}`
        const name = `${describeValues(values)}${seeds.length > 1 ? ` · seed ${seed}` : ''}`
        return new PlannedRun(name, { ...config, seed }, join(runsFolder(path), folder))
      }),
    )
  }

  override get rounds(): number {
    return this.plan.rungs.length
  }

  override async targets(): Promise<readonly Target[]> {
    const places = await this.#standings()
    const { candidates, rungs } = this.plan
    return this.runs.map(({ config }, number) => {
      const { rung, isFinal } = places[number % candidates.length]
      return { until: Math.min(rungs[rung].epochs, config.epochs), isFinal }
    })
  }

  override async status(): Promise<string | undefined> {
    const { rungs, candidates } = this.plan
    if (rungs.length === 1) return undefined
    const current = Math.max(...(await this.#standings()).map(({ rung }) => rung))
    const { epochs, candidates: count } = rungs[current]
    return `rung ${current + 1} of ${rungs.length}: ${count} of ${candidates.length} candidates, until epoch ${epochs}`
  }

  /** The results of all candidates, the best one first: by rung, then by accuracy, then by loss. */
  async results(): Promise<readonly CandidateResult[]> {
    const progress = await this.#progress()
    const places = standings(this.plan.rungs, progress)
    const { candidates, seeds } = this.plan
    const failures = await Promise.all(this.runs.map((run) => run.failure()))
    const results = candidates.map(({ values, config }, i) => {
      const runs = seeds.map((seed, s) => {
        const number = s * candidates.length + i
        const history = progress[i][s].epochs
        const row = history[history.length - 1]
        return { number, seed, row, history, failure: failures[number] }
      })
      const isFailed = runs.some(({ failure }) => failure !== undefined)
      const common = Math.min(...runs.map(({ history }) => history.length))
      const at = this.plan.rungs[places[i].rung].epochs
      const score = isFailed
        ? undefined
        : (scoreAt(progress[i], at) ?? scoreAt(progress[i], common))
      return { ...places[i], name: describeValues(values), values, config, runs, score }
    })
    return results.toSorted(
      (a, b) =>
        Number(b.score !== undefined) - Number(a.score !== undefined) ||
        b.rung - a.rung ||
        (a.score && b.score ? compareScores(a.score, b.score) : 0),
    )
  }

  /** The arguments of `train` that select a candidate, without what belongs to the sweep. */
  argumentsOf({ values, config }: CandidateResult): readonly string[] {
    const { settings } = this.plan
    const own = ['holdOut', 'seed', 'threads']
    const keys = Object.keys({ ...settings, ...values }).filter((key) => !own.includes(key))
    const entries = Object.entries(config).filter(([key]) => keys.includes(key))
    return argumentsFor(Object.fromEntries(entries))
  }

  /** Writes the last epoch of every run to sweep.csv, the best candidate first. */
  async saveTable(): Promise<void> {
    const rows = (await this.results()).flatMap(({ values, rung, runs }, i) =>
      runs.map(({ number, seed, row, failure }) => {
        const options = Object.entries(values).map(([key, value]) => [
          optionName(key).slice(2),
          value,
        ])
        // Without times: the table is the same, whatever has trained the runs.
        const { epoch, trainLoss, trainAccuracy, validationLoss, top1, top5 } = row ?? emptyRow
        return {
          ...{ rank: i + 1, trial: number, ...Object.fromEntries(options), seed, rung: rung + 1 },
          ...{ epoch, trainLoss, trainAccuracy, validationLoss, top1, top5, failure },
        }
      }),
    )
    const table = stringify(rows, { header: true, cast: { boolean: String } })
    await replaceFile(join(this.path, 'sweep.csv'), Buffer.from(table))
  }

  async #standings(): Promise<readonly Standing[]> {
    return standings(this.plan.rungs, await this.#progress())
  }

  /** By candidate, then by seed. */
  async #progress(): Promise<readonly (readonly RunProgress[])[]> {
    const { candidates, seeds } = this.plan
    const all = await Promise.all(
      this.runs.map(async (run) => {
        const history = await run.history()
        return {
          epochs: history?.epochs ?? [],
          isFinished: history !== undefined && endOf(history, run.config) !== undefined,
          isFailed: (await run.failure()) !== undefined,
        }
      }),
    )
    return candidates.map((_, i) => seeds.map((_, s) => all[s * candidates.length + i]))
  }
}

const planFile = 'sweep.json'

/** The columns of a run without a complete epoch. */
const emptyRow: Partial<EpochRow> = {}
