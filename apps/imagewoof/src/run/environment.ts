import { createRequire } from 'node:module'
import { arch, cpus, platform, release } from 'node:os'
import type { Config } from '../config/config.ts'
import { balancedClassWeights, type Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'
import type { Machine, Provider } from '../provider.ts'

/** What the results of a run depend on, besides its configuration: environment.json. */
export interface Environment {
  /** Start of the run, in ISO 8601. */
  readonly began: string
  /** Version of Node. */
  readonly node: string
  readonly system: string
  readonly processor: string
  readonly cores: number
  /** Package and version of the training backend. */
  readonly engine: string
  /** Where onnxruntime computes at the start of the run. Earlier versions, which had the CPU only, have none. */
  readonly provider?: Provider
  /** Threads of onnxruntime at the start of the run. Earlier versions had those of the configuration. */
  readonly threads?: number
  readonly data: DatasetDescription
  /** Weights in the loss, in the order of the classes; undefined if all are 1. */
  readonly classWeights?: readonly number[]
}

/** A data set without its images. */
interface DatasetDescription {
  readonly name: string
  /** See `Dataset.hash`. */
  readonly hash: string
  /** See `Dataset.version`. */
  readonly version: number
  readonly classes: readonly string[]
  /** Number of training images. */
  readonly train: number
  /** Number of validation images. */
  readonly validation: number
  /** See `Dataset.warnings`. Runs of earlier versions have none. */
  readonly warnings?: readonly string[]
}

/** Describes this process, the machine, and a data set. */
export function describeEnvironment(
  dataset: Dataset,
  { engine, classWeights, ...config }: Config,
  { provider = 'cpu', threads = config.threads }: Machine,
): Environment {
  const { name, hash, version, classes, train, validation, warnings } = dataset
  const processors = cpus()
  return {
    began: new Date().toISOString(),
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    engine: engineVersion(engine),
    ...(engine === 'onnxruntime' && { provider, threads }),
    data: {
      name,
      hash,
      version,
      classes,
      train: train.labels.length,
      validation: validation.labels.length,
      warnings,
    },
    ...(classWeights === 'balanced' && { classWeights: balancedClassWeights(dataset) }),
  }
}

const enginePackages: Readonly<Record<Config['engine'], string>> = {
  onnxruntime: 'onnxruntime-node',
  tfjs: '@tensorflow/tfjs',
}

const engineVersion = (engine: Config['engine']): string => packageVersion(enginePackages[engine])

/** The name and version of an installed package. */
function packageVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`)
  return `${name} ${version}`
}

/** The versions that results depend on: of this repository's packages, both engines, and Node. */
export const versions = (): string =>
  [
    ...['@diffgrad/core', ...Object.values(enginePackages)].map(packageVersion),
    `node ${process.version.slice(1)}`,
  ].join('\n')

/** How a data set differs from the one of a run; undefined if it does not. */
export function dataDifference(
  { hash, version }: Dataset,
  { data }: Environment,
): string | undefined {
  if (hash !== data.hash) return `its SHA-256 is ${hash}, not ${data.hash}`
  if (version !== data.version) return `it is decoded by version ${version}, not ${data.version}`
  return undefined
}

/** @throws {Failure} If a data set gives other batches than the one that a run was started on. */
export function requireSameData(dataset: Dataset, environment: Environment, path: string): void {
  const difference = dataDifference(dataset, environment)
  if (difference !== undefined)
    throw new Failure(`${path}: the data must be unchanged, but ${difference}`)
}

/** @throws {Failure} If a data set has other classes than the one that a run was started on. */
export function requireSameClasses(
  { classes }: Dataset,
  { data }: Environment,
  path: string,
): void {
  const same =
    classes.length === data.classes.length && classes.every((name, i) => name === data.classes[i])
  if (!same)
    throw new Failure(
      `${path}: the classes of the data must be ${data.classes.join(', ')}, but are ${classes.join(', ')}`,
    )
}
