import { seeded } from '@diffgrad/onnx'

/** Batches of indices without end: each epoch has every index once, in a new random order. */
export function* shuffledBatches(
  count: number,
  batchSize: number,
  seed: number,
): Generator<readonly number[], never> {
  const random = seeded(seed)
  for (;;) {
    const order = Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const k = Math.floor((i + 1) * random.uniform())
      ;[order[i], order[k]] = [order[k], order[i]]
    }
    for (let from = 0; from + batchSize <= count; from += batchSize) {
      yield order.slice(from, from + batchSize)
    }
  }
}
