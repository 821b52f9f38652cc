import { diffGrad } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  dropout,
  globalAveragePool,
  linear,
  relu,
  seeded,
  sequential,
} from '@diffgrad/onnx'
import {
  accuracy,
  NotFiniteError,
  readCheckpoint,
  type StepResult,
  Trainer,
} from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { type Ranks, shareRanks, threadRank } from '../src/index.ts'

/** A network with running statistics, and with Dropout, whose masks differ between batches. */
const network = buildModel(
  sequential(
    conv(4),
    batchNorm(),
    relu,
    conv(6),
    batchNorm(),
    relu,
    globalAveragePool,
    dropout(0.3),
    linear(3),
  ),
  { shape: ['batch', 1, 6, 6], seed: 1 },
)

const options = (accumulate: number, ranks?: Ranks) => ({
  loss: crossEntropy(),
  seed: 3,
  dimensions: { batch: 4 },
  metrics: { accuracy: accuracy() },
  session: { intraOpNumThreads: 1 },
  optimizer: {
    rule: diffGrad,
    learningRate: 0.02,
    accumulate,
    clip: { by: 'globalNorm', limit: 0.2 },
    ema: { decay: 0.8 },
    lookahead: { every: 2, alpha: 0.5 },
  } as const,
  ...(ranks && { ranks }),
})

/** A batch by its number. */
function batchOf(number: number): { readonly input: Float32Array; readonly target: number[] } {
  const random = seeded(100 + number)
  return {
    input: Float32Array.from({ length: 4 * 36 }, () => random.normal()),
    target: Array.from({ length: 4 }, () => Math.floor(3 * random.uniform())),
  }
}

interface Run {
  readonly steps: readonly StepResult[]
  readonly checkpoint: ReturnType<typeof readCheckpoint>
}

/** Trains on batches that the ranks share. */
function train(
  ranks: number,
  accumulate: number,
  batches = 12,
  model = network,
): Promise<readonly Run[]> {
  const shared = shareRanks(ranks)
  const all = Array.from({ length: ranks }, async (_, rank) => {
    const trainer = await Trainer.create(ort, model, options(accumulate, threadRank(shared, rank)))
    const steps: StepResult[] = []
    for (let batch = rank; batch < batches; batch += ranks)
      steps.push(await trainer.step(batchOf(batch)))
    const checkpoint = readCheckpoint(await trainer.save())
    await trainer.dispose()
    return { steps, checkpoint }
  })
  return Promise.all(all)
}

test('two ranks equal one trainer with accumulate 2, bit for bit: weights, statistics, state, losses', async () => {
  const [[one], [first, second]] = [await train(1, 2), await train(2, 2)]
  expect(Object.keys(one.checkpoint.weights)).toEqual(
    expect.arrayContaining([expect.stringContaining('running_var'), 'dropout/step']),
  )
  expect(first.checkpoint).toEqual(one.checkpoint)
  expect(second).toEqual(first)
  const losses = first.steps.flatMap(({ ranks = [] }) => ranks.map(({ loss }) => loss))
  expect(losses).toEqual(one.steps.map(({ loss }) => loss))
  const [{ loss, metrics, ranks = [] }] = first.steps
  expect(loss).toBe((losses[0] + losses[1]) / 2)
  expect(metrics.accuracy).toBe((ranks[0].metrics.accuracy + ranks[1].metrics.accuracy) / 2)
})

test('three ranks equal one trainer with accumulate 3, to rounding', async () => {
  const [[one], [first, ...others]] = [await train(1, 3, 9), await train(3, 3, 9)]
  for (const other of others) expect(other).toEqual(first)
  for (const [name, { data }] of Object.entries(one.checkpoint.weights)) {
    const largest = Math.max(...data.map(Math.abs))
    const { data: shared } = first.checkpoint.weights[name]
    const difference = Math.max(...data.map((value, i) => Math.abs(value - shared[i])))
    expect(difference / largest, name).toBeLessThan(2e-7)
  }
})

test('a spectral norm makes one power iteration in a step of all ranks', async () => {
  const model = buildModel(
    sequential(conv(4, { spectralNorm: true }), relu, globalAveragePool, linear(3)),
    { shape: ['batch', 1, 6, 6], seed: 1 },
  )
  // The first batch of every rank meets the same weights.
  const [[one], [first, second]] = [await train(1, 1, 1, model), await train(2, 2, 2, model)]
  const vector = '0.weight_u'
  expect(first.checkpoint.weights[vector]).toEqual(one.checkpoint.weights[vector])
  const { data } = first.checkpoint.weights[vector]
  expect(Math.hypot(...data)).toBeCloseTo(1, 6)
  const [longer, other] = await train(2, 2, 12, model)
  expect(other).toEqual(longer)
  expect(second.checkpoint).toEqual(first.checkpoint)
})

/** The errors of two ranks in a step that changes nothing. */
function failures(
  step: (trainer: Trainer, rank: number) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const shared = shareRanks(2)
  const all = [0, 1].map(async (rank) => {
    const trainer = await Trainer.create(ort, network, {
      ...options(2, threadRank(shared, rank)),
      metrics: {
        odd: {
          compute(_, { target }) {
            if (String(target) === '0,0,0,0') throw new Error('no class')
            return 1
          },
        },
      },
    })
    const before = await trainer.save()
    const error = await step(trainer, rank).catch((caught: Error) => caught)
    expect(await trainer.save()).toEqual(before)
    await trainer.dispose()
    return error
  })
  return Promise.all(all)
}

test('an error on one rank is one on all', async () => {
  const notFinite = await failures((trainer, rank) => {
    const { input, target } = batchOf(rank)
    return trainer.step({ input: rank === 1 ? input.fill(Number.NaN) : input, target })
  })
  for (const error of notFinite) {
    expect(error).toBeInstanceOf(NotFiniteError)
    expect(String(error)).toContain('step 1: the loss of rank 1 must be finite, but is NaN')
  }
  const metric = await failures((trainer, rank) =>
    trainer.step({ ...batchOf(rank), ...(rank === 1 && { target: [0, 0, 0, 0] }) }),
  )
  expect(metric.map(String)).toEqual(['RankError: rank 1: no class', 'Error: no class'])
  const [other, own] = await failures((trainer, rank) =>
    trainer.step(rank === 0 ? batchOf(0) : { input: new Float32Array(3), target: [0] }),
  )
  expect(String(other)).toBe(String(own).replace('TrainerError:', 'RankError: rank 1:'))
  expect(String(own)).toContain('TrainerError')
  const aborted = await failures((trainer, rank) =>
    trainer.step(batchOf(rank), rank === 0 ? { signal: AbortSignal.abort(new Error('stop')) } : {}),
  )
  expect(aborted.map(String)).toEqual(['Error: stop', 'RankError: rank 0: stop'])
})

test('several ranks refuse an update within the graph, and what is no communicator', async () => {
  const ranks = threadRank(shareRanks(2), 0)
  await expect(
    Trainer.create(ort, network, { ...options(2, ranks), update: 'graph' }),
  ).rejects.toThrow(
    'trainer: update must be "kernel" for 2 ranks, which exchange gradients, but is "graph"',
  )
  const session = { executionProviders: ['webgpu'] }
  await expect(Trainer.create(ort, network, { ...options(2, ranks), session })).rejects.toThrow(
    'trainer: update must be "kernel"',
  )
  await expect(Trainer.create(ort, network, { ...options(2), ranks: 2 as never })).rejects.toThrow(
    'trainer: ranks must be a Communicator, but is 2',
  )
  await expect(Trainer.create(ort, network, options(3, ranks))).rejects.toThrow(
    'diffGrad: accumulate must be a multiple of the number of ranks, 2, but is 3',
  )
})
