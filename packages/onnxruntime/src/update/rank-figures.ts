import { type Attempt, type Communicator, exchangeAsync, gather } from '@diffgrad/core'
import type { GradientModel, RunningStatistic } from '@diffgrad/onnx'
import type { EvaluationResult } from '../metrics.ts'
import { float32Data, type Tensors } from '../runtime.ts'

/** What a rank tells the others in each step: its loss and metrics, and the statistics of its batch. */
export interface RankFigures {
  readonly evaluation: EvaluationResult
  /** Those that make the running statistics, one after the other. */
  readonly statistics: Float64Array
}

/** The figures of all ranks. */
export interface AllFigures {
  /** The means of loss and metrics. */
  readonly evaluation: EvaluationResult
  readonly ranks: readonly RankFigures[]
}

/** The exchange of the figures of steps, and the running statistics of the batches of all ranks. */
export class FigureExchange {
  readonly #communicator: Communicator
  readonly #metrics: readonly string[]
  readonly #statistics: GradientModel['statistics']

  /** @param metrics - their names. */
  constructor(
    communicator: Communicator,
    metrics: readonly string[],
    statistics: GradientModel['statistics'],
  ) {
    this.#communicator = communicator
    this.#metrics = metrics
    this.#statistics = statistics
  }

  /** The statistics of a batch, from the results of a gradient model with the same running statistics. */
  statisticsOf(statistics: GradientModel['statistics'], results: Tensors): Float64Array {
    const all = [...statistics.values()].flatMap(({ update, next }) => {
      if ('powerIteration' in update) return [float32Data(results, next)]
      return 'averages' in update
        ? update.averages.map(({ output }) => float32Data(results, output))
        : []
    })
    return Float64Array.from(all.flatMap((elements) => [...elements]))
  }

  /** @throws on every rank if one has failed: its reason there, a RankError on the others. */
  async exchange(call: Attempt<RankFigures>): Promise<AllFigures> {
    const count = 1 + this.#metrics.length
    const vectorsOf = ({ update }: RunningStatistic): number => {
      if ('powerIteration' in update) return 1
      return 'averages' in update ? update.averages.length : 0
    }
    const statistics = [...this.#statistics.values()].reduce(
      (sum, statistic) => sum + vectorsOf(statistic) * statistic.initial.data.length,
      0,
    )
    const figures = new Float64Array(count + statistics)
    if (call.value) {
      const { loss, metrics } = call.value.evaluation
      figures.set([loss, ...this.#metrics.map((name) => metrics[name])])
      figures.set(call.value.statistics, count)
    }
    const all = await exchangeAsync(
      this.#communicator,
      gather(this.#communicator, figures, call.failure),
    )
    const evaluationOf = ([loss, ...metrics]: ArrayLike<number> & Iterable<number>) => ({
      loss,
      metrics: Object.fromEntries(this.#metrics.map((name, i) => [name, metrics[i]])),
    })
    const means = Float64Array.from({ length: count }, (_, i) => {
      return all.reduce((sum, one) => sum + one[i], 0) / all.length
    })
    const ranks = all.map((one) => {
      return { evaluation: evaluationOf(one), statistics: one.subarray(count) }
    })
    return { evaluation: evaluationOf(means), ranks }
  }

  /** The count of steps that this rank's batch has, for each running statistic that is a count. */
  counts(arrays: Readonly<Record<string, Float32Array>>): ReadonlyMap<string, number> {
    const { rank } = this.#communicator
    return new Map(
      [...this.#statistics].flatMap(([name, { update }]) =>
        'countModulo' in update
          ? [[name, (arrays[name][0] + rank) % update.countModulo] as const]
          : [],
      ),
    )
  }

  /**
   * Advances running statistics by the batches of all ranks, in the order of ranks, as one trainer would that
   * takes a step on each: r ← momentum · r + (1 − momentum) · batch, in float32 as the runtime computes it. A
   * spectral norm makes one power iteration for all ranks and takes that of the first, as PyTorch's
   * DistributedDataParallel takes its buffers.
   */
  advance(arrays: Readonly<Record<string, Float32Array>>, ranks: readonly RankFigures[]): void {
    const { fround } = Math
    let at = 0
    for (const [name, { update }] of this.#statistics) {
      const running = arrays[name]
      if ('countModulo' in update) {
        running[0] = (running[0] + ranks.length) % update.countModulo
        continue
      }
      if ('powerIteration' in update) {
        for (let i = 0; i < running.length; i++, at++) running[i] = ranks[0].statistics[at]
        continue
      }
      const first = at
      for (const { statistics } of ranks) {
        at = first
        for (const { momentum } of update.averages) {
          const [kept, added] = [fround(momentum), fround(1 - momentum)]
          for (let i = 0; i < running.length; i++, at++)
            running[i] = fround(kept * running[i]) + fround(added * statistics[at])
        }
      }
    }
  }
}
