import { access, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import { type Config, resolveConfig } from '../config/config.ts'
import { Failure, messageOf } from '../failure.ts'
import { beginning, type History } from '../training/history.ts'
import type { Environment } from './environment.ts'
import type { Judgement } from './judgement.ts'

/** Which of a run's two checkpoints. */
export type Which = 'last' | 'best'

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`

/** All that a training leaves. Files are whole at every moment. */
export class RunFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /**
   * Makes a new one.
   *
   * @param backbone - what is trained, if it is not drawn from the seed.
   * @throws {Failure} If it is there already, or cannot be made.
   */
  static async create(
    path: string,
    config: Config,
    environment: Environment,
    backbone?: Uint8Array,
  ): Promise<RunFolder> {
    if (await exists(path))
      throw new Failure(`run folder ${path}: is there already; resume it, or choose another --out`)
    const folder = new RunFolder(path)
    try {
      await mkdir(path, { recursive: true })
      await folder.#write('environment.json', json(environment))
      if (backbone) await folder.#write('backbone.onnx', backbone)
      await folder.saveConfig(config)
    } catch (cause) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
      throw new Failure(`run folder ${path}: cannot be written: ${messageOf(cause)}`, { cause })
    }
    return folder
  }

  /** The one at a path, if there is one: config.json comes last, and without it there is nothing. */
  static async find(path: string): Promise<RunFolder | undefined> {
    return (await exists(join(path, 'config.json'))) ? new RunFolder(path) : undefined
  }

  /** @throws {Failure} If it is none. */
  static async open(path: string): Promise<RunFolder> {
    const folder = await RunFolder.find(path)
    if (!folder) throw new Failure(`${path}: is no run folder; it has no config.json`)
    return folder
  }

  saveConfig(config: Config): Promise<void> {
    return this.#write('config.json', json(config))
  }

  async config(): Promise<Config> {
    return resolveConfig(JSON.parse(await this.#read('config.json')))
  }

  async environment(): Promise<Environment> {
    return JSON.parse(await this.#read('environment.json'))
  }

  saveCheckpoint(which: Which, bytes: Uint8Array): Promise<void> {
    return this.#write(`${which}.safetensors`, bytes)
  }

  /** @returns undefined if there is none yet. */
  async checkpoint(which: Which): Promise<Uint8Array | undefined> {
    const path = this.#at(`${which}.safetensors`)
    return (await exists(path)) ? readFile(path) : undefined
  }

  /** Removes both checkpoints, which are large. */
  async forgetCheckpoints(): Promise<void> {
    for (const which of ['last', 'best'])
      await rm(this.#at(`${which}.safetensors`), { force: true })
  }

  /** Writes what has been seen, for reports, and before it its epochs as a table. */
  async saveHistory(history: History): Promise<void> {
    await this.#write('summary.csv', stringify([...history.epochs], { header: true }))
    await this.#write('history.json', json(history))
  }

  /** What had been seen by the last checkpoint. */
  async history(): Promise<History> {
    return (await exists(this.#at('history.json')))
      ? JSON.parse(await this.#read('history.json'))
      : beginning.history
  }

  saveJudgement(judgement: Judgement): Promise<void> {
    return this.#write('judgement.json', json(judgement))
  }

  /** How the best checkpoint did; undefined if there is none yet. */
  async judgement(): Promise<Judgement | undefined> {
    return (await exists(this.#at('judgement.json')))
      ? JSON.parse(await this.#read('judgement.json'))
      : undefined
  }

  /** Writes any other file of the run. */
  save(name: string, content: string | Uint8Array): Promise<void> {
    return this.#write(name, content)
  }

  /** The path of a file of the run. */
  pathOf(name: string): string {
    return this.#at(name)
  }

  #at(name: string): string {
    return join(this.path, name)
  }

  #read(name: string): Promise<string> {
    return readFile(this.#at(name), 'utf8')
  }

  #write(name: string, content: string | Uint8Array): Promise<void> {
    return replaceFile(this.#at(name), typeof content === 'string' ? Buffer.from(content) : content)
  }
}
