import { createRequire } from 'node:module'
import { arch, cpus, platform, release } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'

/** What a result depends on beside the configuration. */
export interface Environment {
  /** When the training began: ISO 8601. */
  readonly began: string
  readonly node: string
  readonly system: string
  readonly processor: string
  readonly cores: number
  readonly engine: string
  readonly data: Described
}

/** A data set, without its pictures. */
interface Described {
  readonly name: string
  /** See `Dataset`. */
  readonly hash: string
  /** See `Dataset`. */
  readonly version: number
  readonly classes: readonly string[]
  readonly train: number
  readonly validation: number
}

/** The packages that compute, by the names of engines. */
const packages: Readonly<Record<Config['engine'], string>> = {
  onnxruntime: 'onnxruntime-node',
  tfjs: '@tensorflow/tfjs',
}

/** A package that computes, with its version. */
function engineOf(engine: Config['engine']): string {
  const name = packages[engine]
  const { version } = createRequire(import.meta.url)(`${name}/package.json`)
  return `${name} ${version}`
}

/** Where this process runs, and on what data. */
export function environmentOf(
  { name, hash, version, classes, train, validation }: Dataset,
  { engine }: Config,
): Environment {
  const processors = cpus()
  return {
    began: new Date().toISOString(),
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    engine: engineOf(engine),
    data: {
      name,
      hash,
      version,
      classes,
      train: train.labels.length,
      validation: validation.labels.length,
    },
  }
}
