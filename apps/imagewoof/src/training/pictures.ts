import type { Config } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import { Failure } from '../failure.ts'

/** The data set that a configuration names, ready to train on. */
export async function openDataset({ data }: Config): Promise<Dataset> {
  throw new Failure(`${data}: there is no loader yet`)
}

/** Batches of a data set as a configuration wants them. */
export async function openLoader({ name }: Dataset, _: Config): Promise<Loader> {
  throw new Failure(`${name}: there is no loader yet`)
}
