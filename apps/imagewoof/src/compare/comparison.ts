import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import type { Dataset } from '../data/dataset.ts'
import { Failure, messageOf } from '../failure.ts'
import { type Environment, environmentOf } from '../run/environment.ts'
import { exists } from '../run/run-folder.ts'
import type { History } from '../training/history.ts'
import { openData } from '../training/pictures.ts'
import { mustBeAsItWas } from '../training/same-data.ts'
import type { Surface } from '../training/surface.ts'
import { Entry } from './entry.ts'
import { type Plan, planWith } from './plan.ts'

/** A run that ended badly. */
interface Failed {
  readonly contender: string
  readonly seed: number
  readonly reason: string
}

/** What a contender did from a seed. */
export interface Outcome {
  readonly contender: string
  readonly seed: number
  readonly history: History
}

/** A comparison in its folder: one run folder for each contender and seed, all on the same data. */
export class Comparison {
  readonly path: string
  #plan: Plan

  /**
   * Makes a folder for a new one.
   *
   * @throws {Failure} If it is there already, or cannot be made.
   */
  static async create(path: string, given: Plan, dataset: Dataset): Promise<Comparison> {
    if (await exists(path))
      throw new Failure(`folder ${path}: is there already; resume it, or choose another --out`)
    const plan = planWith(given)
    const environment = environmentOf(dataset, plan.contenders[0].config)
    try {
      await mkdir(runsOf(path), { recursive: true })
      await write(join(path, 'environment.json'), environment)
      await write(planOf(path), plan)
    } catch (cause) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
      throw new Failure(`folder ${path}: cannot be written: ${messageOf(cause)}`, { cause })
    }
    return new Comparison(path, plan)
  }

  /** Opens one, if a folder is one. */
  static async open(path: string): Promise<Comparison | undefined> {
    return (await exists(planOf(path)))
      ? new Comparison(path, JSON.parse(await readFile(planOf(path), 'utf8')))
      : undefined
  }

  private constructor(path: string, plan: Plan) {
    this.path = path
    this.#plan = plan
  }

  get plan(): Plan {
    return this.#plan
  }

  /** Where it was begun, and on what data. */
  async environment(): Promise<Environment> {
    return JSON.parse(await readFile(join(this.path, 'environment.json'), 'utf8'))
  }

  /**
   * Opens the data of all runs.
   *
   * @param place - where it is now, if it was moved; it is kept.
   * @throws {Failure} If it is no longer the same.
   */
  async openData(surface: Surface, place?: string): Promise<Dataset> {
    const plan = planWith(this.plan, place === undefined ? {} : { data: place })
    const dataset = await openData(plan.contenders[0].config, surface)
    mustBeAsItWas(dataset, await this.environment(), this.path)
    if (place !== undefined) await write(planOf(this.path), plan)
    this.#plan = plan
    return dataset
  }

  /**
   * Makes the runs that are not done yet: all contenders from the first seed, then from the next. One
   * that ends badly does not keep the others from theirs.
   *
   * @param given - the data, where it is open already.
   */
  async carryOn(surface: Surface, given?: Dataset): Promise<void> {
    let dataset = given
    for (const [i, entry] of this.#entries.entries()) {
      if (surface.signal.aborted) return
      if (await entry.failure()) continue
      if (!(await entry.result())) {
        dataset ??= await this.openData(surface)
        const { contender, seed } = entry
        surface.screen.write(`run ${i + 1} of ${this.runs} · ${contender} · seed ${seed}\n`)
        await entry.make(dataset, surface)
      }
      if (await entry.result()) await entry.conclude(this.plan.keep)
    }
  }

  /** Removes one of which no run has begun: what kept the first from it keeps the others, too. */
  async removeUnlessBegun(): Promise<void> {
    if ((await readdir(runsOf(this.path))).length === 0) await rm(this.path, { recursive: true })
  }

  /** What the finished runs gave, by seed, then by contender. */
  async outcomes(): Promise<readonly Outcome[]> {
    const found: Outcome[] = []
    for (const entry of this.#entries) {
      const history = await entry.result()
      if (history) found.push({ contender: entry.contender, seed: entry.seed, history })
    }
    return found
  }

  /** The runs that ended badly. */
  async failures(): Promise<readonly Failed[]> {
    const found: Failed[] = []
    for (const entry of this.#entries) {
      const reason = await entry.failure()
      if (reason) found.push({ contender: entry.contender, seed: entry.seed, reason })
    }
    return found
  }

  /** Writes all runs as a table. */
  async saveTable(): Promise<void> {
    const rows = (await this.outcomes()).map(({ contender, seed, history }) => ({
      contender,
      seed,
      ...history.epochs[history.epochs.length - 1],
    }))
    await replaceFile(
      join(this.path, 'comparison.csv'),
      Buffer.from(stringify(rows, { header: true })),
    )
  }

  /** How many runs there are to be. */
  get runs(): number {
    return this.plan.contenders.length * this.plan.seeds.length
  }

  /** By seed, then by contender. */
  get #entries(): readonly Entry[] {
    const { contenders, seeds } = this.plan
    return seeds.flatMap((seed) =>
      contenders.map((contender) => new Entry(contender, seed, runsOf(this.path))),
    )
  }
}

const planOf = (path: string): string => join(path, 'compare.json')
const runsOf = (path: string): string => join(path, 'runs')

const write = (path: string, value: unknown): Promise<void> =>
  replaceFile(path, Buffer.from(JSON.stringify(value, undefined, 1)))
