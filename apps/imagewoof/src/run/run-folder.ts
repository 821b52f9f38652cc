import { access, constants, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { removeLeftovers, replaceFile, temporaryPath } from '@diffgrad/onnxruntime/node'
import { stringify } from 'csv-stringify/sync'
import { type Config, resolveConfig } from '../config/config.ts'
import { centralShare } from '../data/loader/resample.ts'
import type { EvaluationSummary } from '../evaluation/summary.ts'
import { Failure, FolderExists, messageOf, WriteFailure } from '../failure.ts'
import { type LockOwner, lockOwner, requireLock, takeLock, withLock } from '../lock.ts'
import type { Environment } from './environment.ts'
import { type History, initialState } from './history.ts'

/** A run has two checkpoints: after its latest step, and after its best epoch. */
export type CheckpointKind = 'last' | 'best'

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** When a file was last modified, in milliseconds; 0 if it does not exist. */
export const modifiedAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`

/** The file in the folder of a run or a comparison that names the process that owns it. */
const lockFile = (path: string): string => join(path, 'lock')

/**
 * Makes this process the owner of the folder of a run or a comparison, until it exits. Then removes what
 * killed owners left in it.
 *
 * @param what - the folder is, as error messages call it.
 * @throws {Failure} If another process owns it.
 */
export async function ownFolder(path: string, what: string): Promise<void> {
  await takeLock(lockFile(path), what)
  await removeLeftovers(path)
}

const alreadyExists = (path: string, kind: string): FolderExists =>
  new FolderExists(`${kind} ${path}: already exists; resume it, or choose another --out`)

/**
 * Checks that a folder can be created, before the work whose result it is to hold.
 *
 * @param kind - of folder, as error messages call it.
 * @throws {Failure} If it exists, or the folder that it would be created in is not writable.
 */
export async function requireNewFolder(path: string, kind: string): Promise<void> {
  if (await exists(path)) throw alreadyExists(path, kind)
  let parent = dirname(resolve(path))
  while (!(await exists(parent)) && parent !== dirname(parent)) parent = dirname(parent)
  try {
    if (!(await stat(parent)).isDirectory()) throw new Error(`${parent} is not a folder`)
    await access(parent, constants.W_OK)
  } catch (cause) {
    throw new Failure(`${kind} ${path}: cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Creates a folder, which appears only when it is complete.
 *
 * @param kind - of folder, as error messages call it.
 * @param fill - writes its files into a temporary folder.
 * @throws {FolderExists} If the folder exists.
 * @throws {Failure} If it cannot be created.
 */
export async function createFolder(
  path: string,
  kind: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await requireNewFolder(path, kind)
  const temporary = temporaryPath(path)
  try {
    await removeLeftovers(dirname(path))
    await mkdir(temporary, { recursive: true })
    await fill(temporary)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    if (await exists(path)) throw alreadyExists(path, kind)
    throw new Failure(`${kind} ${path}: cannot be written: ${messageOf(cause)}`, { cause })
  }
}

const initialModelFile = 'backbone.onnx'

/** The folder of a run. Files are replaced atomically, so that each is complete whenever it exists. */
export class RunFolder {
  readonly path: string
  /** Whether this process writes files: of several ranks, the first one does. */
  readonly isWritten: boolean

  constructor(path: string, isWritten = true) {
    this.path = path
    this.isWritten = isWritten
  }

  /**
   * Creates a run folder, which this process owns. It appears only when it is complete.
   *
   * @param initialModel - as an .onnx file, if it cannot be built from the configuration alone.
   * @throws {Failure} If the folder exists, or cannot be created.
   */
  static async create(
    path: string,
    config: Config,
    environment: Environment,
    initialModel?: Uint8Array,
  ): Promise<RunFolder> {
    await createFolder(path, 'run folder', async (temporary) => {
      const folder = new RunFolder(temporary)
      await folder.save('environment.json', json(environment))
      if (initialModel) await folder.save(initialModelFile, initialModel)
      await folder.saveConfig(config)
    })
    const folder = new RunFolder(path)
    await folder.own()
    return folder
  }

  /** The run folder at a path. It is one if it holds config.json. */
  static async find(path: string): Promise<RunFolder | undefined> {
    return (await exists(join(path, 'config.json'))) ? new RunFolder(path) : undefined
  }

  /** @throws {Failure} If the path is not a run folder. */
  static async open(path: string, isWritten = true): Promise<RunFolder> {
    const folder = await RunFolder.find(path)
    if (!folder) throw new Failure(`${path}: is not a run folder; it has no config.json`)
    return new RunFolder(path, isWritten)
  }

  /**
   * Makes this process the owner of the run, the only one that writes in its folder, until it exits. Then
   * removes what killed owners left.
   *
   * @throws {Failure} If another process owns the run.
   */
  own(): Promise<void> {
    return ownFolder(this.path, `the run ${this.path}`)
  }

  /**
   * Does work while this process owns the run.
   *
   * @throws {Failure} If another process owns it.
   */
  whileOwned<T>(work: () => Promise<T>): Promise<T> {
    return withLock(lockFile(this.path), `the run ${this.path}`, work)
  }

  /** The other process that owns the run; undefined if none does. */
  otherOwner(): Promise<LockOwner | undefined> {
    return lockOwner(lockFile(this.path))
  }

  /** The path of the initial model of a run with a backbone or with `--from`. */
  get initialModelFile(): string {
    return this.pathOf(initialModelFile)
  }

  saveConfig(config: Config): Promise<void> {
    return this.save('config.json', json(config))
  }

  async config(): Promise<Config> {
    // Earlier versions did not have the setting.
    const saved = { validationCrop: centralShare, ...JSON.parse(await this.#read('config.json')) }
    return resolveConfig(saved)
  }

  async environment(): Promise<Environment> {
    return JSON.parse(await this.#read('environment.json'))
  }

  saveCheckpoint(kind: CheckpointKind, bytes: Uint8Array): Promise<void> {
    return this.save(`${kind}.safetensors`, bytes)
  }

  /** @returns undefined if the checkpoint does not exist yet. */
  async checkpoint(kind: CheckpointKind): Promise<Uint8Array | undefined> {
    const path = this.pathOf(`${kind}.safetensors`)
    return (await exists(path)) ? readFile(path) : undefined
  }

  async deleteCheckpoints(): Promise<void> {
    for (const kind of ['last', 'best'])
      await rm(this.pathOf(`${kind}.safetensors`), { force: true })
  }

  /** Writes summary.csv, and then history.json. */
  async saveHistory(history: History): Promise<void> {
    await this.save('summary.csv', stringify([...history.epochs], { header: true }))
    await this.save('history.json', json(history))
  }

  /** The history up to the last checkpoint. */
  async history(): Promise<History> {
    return (await exists(this.pathOf('history.json')))
      ? JSON.parse(await this.#read('history.json'))
      : initialState.history
  }

  saveEvaluation(evaluation: EvaluationSummary): Promise<void> {
    return this.save('evaluation.json', json(evaluation))
  }

  /** The evaluation of the best checkpoint; undefined before the first epoch has ended. */
  async evaluation(): Promise<EvaluationSummary | undefined> {
    return (await exists(this.pathOf('evaluation.json')))
      ? JSON.parse(await this.#read('evaluation.json'))
      : undefined
  }

  /**
   * Writes a file of the run.
   *
   * @throws {WriteFailure} If it cannot be written: the old file is kept.
   * @throws {Failure} If this process owned the run, and another one has taken it over.
   */
  async save(name: string, content: string | Uint8Array): Promise<void> {
    if (!this.isWritten) return
    await requireLock(lockFile(this.path), `the run ${this.path}`)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const path = this.pathOf(name)
    await replaceFile(path, bytes).catch((cause) => {
      throw new WriteFailure(path, cause)
    })
  }

  /** The path of a file of the run. */
  pathOf(name: string): string {
    return join(this.path, name)
  }

  #read(name: string): Promise<string> {
    return readFile(this.pathOf(name), 'utf8')
  }
}
