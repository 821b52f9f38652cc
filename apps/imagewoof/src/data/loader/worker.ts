import { parentPort, workerData } from 'node:worker_threads'
import { Assembler, type Assembly, type Pictures } from './assemble.ts'

/** What a worker starts with. */
export interface WorkerData {
  readonly pictures: Pictures
  readonly assembly: Assembly
}

/** A batch that is wanted: of an epoch, or of the validation. */
export interface Order {
  readonly epoch?: number
  readonly number: number
}

// Whoever starts this file hands in these.
const { pictures, assembly }: WorkerData = workerData
const assembler = new Assembler(pictures, assembly)

// Batches leave in the order in which they were asked for, and are given away rather than copied.
parentPort?.on('message', ({ epoch, number }: Order) => {
  const batch = epoch === undefined ? assembler.validation(number) : assembler.train(epoch, number)
  parentPort?.postMessage(batch, [batch.images.buffer, batch.targets.buffer])
})
