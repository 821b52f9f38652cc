import { expect, test } from 'vitest'
import { communicator, type Ranks, shareRanks, threadRank } from '../src/index.ts'
import { bucketBytes, bucketsOf } from '../src/ranks.ts'

/** Runs a function as each of some ranks, and returns the results by rank. */
function onRanks<R>(size: number, run: (ranks: Ranks) => Promise<R>): Promise<readonly R[]> {
  const shared = shareRanks(size)
  return Promise.all(Array.from({ length: size }, (_, rank) => run(threadRank(shared, rank))))
}

test('sum, mean and broadcast exchange arrays of any size and type', async () => {
  const large = bucketBytes / 4 + 3
  const results = await onRanks(3, async (ranks) => {
    const arrays = [
      Float32Array.of(ranks.rank, 1),
      new Float32Array(large).fill(ranks.rank + 1),
      Float64Array.of(0.1 * ranks.rank),
    ]
    await ranks.sum(arrays)
    const mean = Float32Array.of(3 * ranks.rank)
    await ranks.mean([mean])
    const bits = new Float32Array(2)
    if (ranks.rank === 1) bits.set([Number.NaN, -0])
    await ranks.broadcast([bits], 1)
    await ranks.barrier()
    await ranks.end()
    return { sums: arrays.map((array) => [array[0], array.at(-1)]), mean, bits }
  })
  for (const { sums, mean, bits } of results) {
    expect(sums).toEqual([
      [3, 3],
      [6, 6],
      [0.1 + 0.2, 0.1 + 0.2],
    ])
    expect(mean).toEqual(Float32Array.of(3))
    expect(bits).toEqual(Float32Array.of(Number.NaN, -0))
  }
})

test('arrays are cut into buckets: parts of large ones in place, small ones together', () => {
  const most = bucketBytes / 4
  const arrays = [10, 2 * most, 20, 5].map((length) => new Float32Array(length))
  const buckets = [...bucketsOf(arrays)]
  expect(buckets.map(({ elements }) => elements.length)).toEqual([most, most, 35])
  for (const { elements, write } of buckets) {
    elements.fill(1)
    write()
  }
  expect(arrays.every((array) => array.every((element) => element === 1))).toBe(true)
  expect(buckets[1].elements.buffer).toBe(arrays[1].buffer)
})

test('ranks whose calls differ are told so, and nothing changes', async () => {
  const results = await onRanks(2, async (ranks) => {
    const array = new Float32Array(3 + ranks.rank).fill(ranks.rank)
    const error = await ranks.sum([array]).catch((caught) => caught)
    const other = await (ranks.rank === 0 ? ranks.barrier() : ranks.mean([array])).catch(
      (caught) => caught,
    )
    return [error.message, other.message, array[0]]
  })
  const difference = 'mpi: the ranks make different calls; here'
  expect(results).toEqual([
    [`${difference} sum,Float32Array(3)`, `${difference} sum`, 0],
    [`${difference} sum,Float32Array(4)`, `${difference} sum,Float32Array(4)`, 1],
  ])
})

test('a rank that aborts ends those that wait for it', async () => {
  const shared = shareRanks(2)
  const waiting = threadRank(shared, 0).barrier()
  threadRank(shared, 1).abort()
  await expect(waiting).rejects.toThrow('mpi: another rank has ended')
})

test('a process that no launcher has started is the only rank', async () => {
  const ranks = await communicator()
  const array = Float32Array.of(2)
  await ranks.mean([array])
  ranks.sumSync([array])
  expect([ranks.rank, ranks.size, array[0]]).toEqual([0, 1, 2])
})

test('wrong ranks are refused by name', async () => {
  expect(() => shareRanks(0)).toThrow('the number of ranks must be a whole number from 1, but is 0')
  expect(() => threadRank(shareRanks(2), 2)).toThrow('the rank must be in [0, 1], but is 2')
  await expect(threadRank(shareRanks(1), 0).broadcast([], 1)).rejects.toThrow(
    'the rank must be in [0, 0], but is 1',
  )
})
