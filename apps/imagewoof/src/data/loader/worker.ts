import { parentPort, workerData } from 'node:worker_threads'
import { BatchBuilder, type BatchOptions, type LoaderData } from './build-batch.ts'

/** What a worker thread is started with. */
export interface WorkerData {
  readonly data: LoaderData
  readonly options: BatchOptions
}

/** A batch to build: of a training epoch, or of the validation split if `epoch` is undefined. */
export interface BatchRequest {
  readonly epoch?: number
  /** Index of the batch in the epoch or split. */
  readonly index: number
}

const { data, options }: WorkerData = workerData // Posted by `createLoader`.
const builder = new BatchBuilder(data, options)

// Batches are posted in the order of the requests. Their buffers are transferred, not copied.
parentPort?.on('message', ({ epoch, index }: BatchRequest) => {
  const batch = epoch === undefined ? builder.validation(index) : builder.train(epoch, index)
  parentPort?.postMessage(batch, [batch.images.buffer, batch.targets.buffer])
})
