import type { Batch, Loader } from '../batch.ts'
import type { Dataset, Split } from '../dataset.ts'
import type { Assembly } from './assemble.ts'
import type { Order } from './worker.ts'
import { Workman } from './workman.ts'

/** How many batches are made ahead of their use, by each worker. */
const ahead = 4

/** What a loader is made from. */
export interface LoaderOptions extends Assembly {
  /** Threads that make batches; 1 unless told, which is enough for several hundred pictures a second. */
  readonly workers?: number
}

/**
 * Starts a loader of a data set. The pictures that do not fill a last training batch wait for the
 * next epoch, which has another order.
 */
export function createLoader(
  { size, classes, train, validation }: Dataset,
  { workers = 1, batch, seed, crop, flip, mixup, labelSmoothing }: LoaderOptions,
): Loader {
  const assembly = { batch, seed, crop, flip, mixup, labelSmoothing }
  const stored = ({ files, ...rest }: Split): Omit<Split, 'files'> => rest
  const pictures = {
    size,
    classes: classes.length,
    train: stored(train),
    validation: stored(validation),
  }
  const team = Array.from({ length: workers }, () => new Workman({ pictures, assembly }))
  const make = (order: Order): Promise<Batch> => team[order.number % workers].make(order)

  /** Orders come one after the other; those of an iterator that is left early are made for nothing. */
  async function* inTurn(orders: Iterator<Order>): AsyncGenerator<Batch> {
    const coming: Promise<Batch>[] = []
    for (;;) {
      while (coming.length < ahead * workers) {
        const { value, done } = orders.next()
        if (done) break
        const batch = make(value)
        batch.catch(() => {}) // Whoever takes it is told.
        coming.push(batch)
      }
      const next = coming.shift()
      if (!next) return
      yield await next
    }
  }

  const batchesPerEpoch = Math.floor(train.labels.length / batch)
  const validationBatches = Math.ceil(validation.labels.length / batch)
  return {
    batchesPerEpoch,
    train: (epoch, firstBatch = 0) => inTurn(orders(firstBatch, batchesPerEpoch, { epoch })),
    validation: () => inTurn(orders(0, validationBatches, {})),
    async dispose() {
      await Promise.all(team.map((workman) => workman.dispose()))
    },
  }
}

function* orders(
  from: number,
  to: number,
  { epoch }: Pick<Order, 'epoch'>,
): Generator<Order, undefined> {
  for (let number = from; number < to; number++) {
    yield epoch === undefined ? { number } : { epoch, number }
  }
}
