import type { Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'
import type { Environment } from '../run/environment.ts'

/** What of a data set is not as it was, if anything. */
export function changeOf({ hash, version }: Dataset, { data }: Environment): string | undefined {
  if (hash !== data.hash) return `its SHA-256 is ${hash}, not ${data.hash}`
  if (version !== data.version) return `it is decoded by version ${version}, not ${data.version}`
  return undefined
}

/** @throws {Failure} If a data set gives other batches than the one that a folder's training began with. */
export function mustBeAsItWas(dataset: Dataset, environment: Environment, path: string): void {
  const change = changeOf(dataset, environment)
  if (change !== undefined) throw new Failure(`${path}: the data must be as it was, but ${change}`)
}

/** @throws {Failure} If labels mean other classes than in the training of a folder. */
export function mustHaveItsClasses(
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
