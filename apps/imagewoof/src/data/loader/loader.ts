import { WorkerThread } from '../../worker-thread.ts'
import type { Batch, Loader } from '../batch.ts'
import { balancedClassWeights, type Dataset, type Split } from '../dataset.ts'
import type { BatchOptions } from './build-batch.ts'
import type { BatchRequest, WorkerData } from './worker.ts'

/** Batches that each worker prepares ahead of their use. */
const prefetch = 4

export interface LoaderOptions extends Omit<BatchOptions, 'classWeights'> {
  readonly classWeights: 'none' | 'balanced'
  /** Worker threads; 1 by default, which prepares several hundred images per second. */
  readonly workers?: number
}

/**
 * Starts a loader of a data set. Training images that do not fill a last batch are skipped in that epoch;
 * each epoch has another order.
 */
export function createLoader(
  dataset: Dataset,
  { workers = 1, batch, seed, crop, pad, padMode, flip, erase, ...loaderOptions }: LoaderOptions,
): Loader {
  const { size, classes, train, validation } = dataset
  const { mixup, labelSmoothing, classWeights: kind } = loaderOptions
  const classWeights = kind === 'balanced' ? balancedClassWeights(dataset) : undefined
  const options = {
    ...{ batch, seed, crop, pad, padMode, flip, erase, mixup },
    ...{ labelSmoothing, classWeights },
  }
  const withoutFiles = ({ files, ...rest }: Split): Omit<Split, 'files'> => rest
  const data = {
    size,
    classes: classes.length,
    train: withoutFiles(train),
    validation: withoutFiles(validation),
  }
  const workerData: WorkerData = { data, options }
  const threads = Array.from(
    { length: workers },
    () => new WorkerThread<BatchRequest, Batch>(new URL('./worker', import.meta.url), workerData),
  )
  const build = (request: BatchRequest): Promise<Batch> =>
    threads[request.index % workers].send(request)

  /** Yields batches in the order of the requests. Prefetched batches of an iterator left early are dropped. */
  async function* batchesOf(requests: Iterator<BatchRequest>): AsyncGenerator<Batch> {
    const pending: Promise<Batch>[] = []
    for (;;) {
      while (pending.length < prefetch * workers) {
        const { value, done } = requests.next()
        if (done) break
        const batch = build(value)
        batch.catch(() => {}) // The consumer gets the rejection when it awaits the batch.
        pending.push(batch)
      }
      const next = pending.shift()
      if (!next) return
      yield await next
    }
  }

  const batchesPerEpoch = Math.floor(train.labels.length / batch)
  const validationBatches = Math.ceil(validation.labels.length / batch)
  return {
    batchesPerEpoch,
    train: (epoch, firstBatch = 0, every = 1) =>
      batchesOf(requestRange({ from: firstBatch, to: batchesPerEpoch, every }, { epoch })),
    validation: (firstBatch = 0, every = 1) =>
      batchesOf(requestRange({ from: firstBatch, to: validationBatches, every }, {})),
    async dispose() {
      await Promise.all(threads.map((thread) => thread.dispose()))
    },
  }
}

function* requestRange(
  { from, to, every }: { readonly from: number; readonly to: number; readonly every: number },
  { epoch }: Pick<BatchRequest, 'epoch'>,
): Generator<BatchRequest, undefined> {
  for (let index = from; index < to; index += every) {
    yield epoch === undefined ? { index } : { epoch, index }
  }
}
