import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import { Failure, messageOf } from '../failure.ts'
import type { Environment } from '../run/environment.ts'
import { exists, RunFolder } from '../run/run-folder.ts'
import type { History } from '../training/history.ts'
import { resumeRun, type Surface, startRun } from '../training/run.ts'
import type { Contender } from './contender.ts'

/** Who is compared, from which seeds. */
export interface Plan {
  readonly contenders: readonly Contender[]
  readonly seeds: readonly number[]
}

/** What a contender did from a seed. */
export interface Outcome {
  readonly contender: string
  readonly seed: number
  readonly history: History
}

/** A comparison in its folder: one run folder for each contender and seed. */
export class Comparison {
  readonly path: string
  readonly plan: Plan

  /**
   * Makes a folder for a new one.
   *
   * @throws {Failure} If it is there already, or cannot be made.
   */
  static async create(path: string, plan: Plan): Promise<Comparison> {
    if (await exists(path))
      throw new Failure(`folder ${path}: is there already; resume it, or choose another --out`)
    try {
      await mkdir(join(path, 'runs'), { recursive: true })
      await replaceFile(planOf(path), Buffer.from(JSON.stringify(plan, undefined, 1)))
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
    this.plan = plan
  }

  /** How many runs there are to be. */
  get runs(): number {
    return this.plan.contenders.length * this.plan.seeds.length
  }

  /**
   * Makes the runs that are not done yet: all contenders from the first seed, then from the next. A run
   * that is done keeps no checkpoints.
   */
  async carryOn(surface: Surface): Promise<void> {
    let number = 0
    for (const seed of this.plan.seeds)
      for (const { name, config } of this.plan.contenders) {
        number++
        if (surface.signal.aborted) return
        const path = this.#pathOf(name, seed)
        if (await isDone(path)) continue
        surface.screen.write(`run ${number} of ${this.runs} · ${name} · seed ${seed}\n`)
        const { finished, folder } = (await exists(path))
          ? await resumeRun(path, surface)
          : await startRun({ ...config, seed }, path, surface)
        if (finished) await folder.forgetCheckpoints()
      }
  }

  /** What the finished runs gave, by seed, then by contender. */
  async outcomes(): Promise<readonly Outcome[]> {
    const found: Outcome[] = []
    for (const seed of this.plan.seeds)
      for (const { name } of this.plan.contenders) {
        const path = this.#pathOf(name, seed)
        if (await isDone(path))
          found.push({ contender: name, seed, history: await new RunFolder(path).history() })
      }
    return found
  }

  /** Where the first run was made. */
  async environment(): Promise<Environment> {
    const [{ name }] = this.plan.contenders
    return new RunFolder(this.#pathOf(name, this.plan.seeds[0])).environment()
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

  #pathOf(name: string, seed: number): string {
    return join(this.path, 'runs', `${name.replace(/[^\w.]+/g, '-')}-seed-${seed}`)
  }
}

const planOf = (path: string): string => join(path, 'compare.json')

/** Whether all epochs of a run were seen, and its last checkpoint written. */
async function isDone(path: string): Promise<boolean> {
  if (!(await exists(join(path, 'config.json')))) return false
  const folder = new RunFolder(path)
  return (await folder.history()).epochs.length >= (await folder.config()).epochs
}
