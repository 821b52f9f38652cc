import { attemptAsync, type Communicator, exchangeAsync, gather } from '@diffgrad/core'
import { elementCount, type StatisticsModel, statisticsModel } from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { Cache } from './cache.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type EvaluationSpec, maxSessions } from './evaluation.ts'
import { createSession, float32Data, runSession, type Tensors } from './runtime.ts'
import { keyOf, type Sizes } from './update/update.ts'

type SizedModel = StatisticsModel & { readonly session: InferenceSession }

/**
 * The running means and variances of the averaged weights: means of the statistics of training batches. Those
 * of training belong to other weights.
 *
 * @see Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", arXiv:1803.05407,
 * section 3.2, which computes them so for averaged weights.
 */
export class AverageStatistics {
  readonly #spec: EvaluationSpec
  readonly #shapes: Readonly<Record<string, readonly number[]>>
  readonly #ranks: Communicator | undefined
  readonly #models = new Cache<SizedModel>(maxSessions, ({ session }) => session.release())
  /** Sums over the batches: the elements of all statistics, one after the other. */
  #sums: { readonly batches: number; readonly elements: Float64Array } | undefined
  #estimate: Checkpoint['weights'] | undefined

  /** @param shapes - of the running statistics, among others. */
  constructor(
    spec: EvaluationSpec,
    shapes: Readonly<Record<string, readonly number[]>>,
    ranks: Communicator | undefined,
  ) {
    this.#spec = spec
    this.#shapes = shapes
    this.#ranks = ranks
  }

  /** The estimate; undefined if there is no batch in it. */
  get estimate(): Checkpoint['weights'] | undefined {
    return this.#estimate
  }

  /** Replaces the estimate. The next batch begins a new one. */
  set estimate(estimate: Checkpoint['weights'] | undefined) {
    this.#estimate = estimate
    this.#sums = undefined
  }

  /**
   * Adds a batch of each rank to the estimate.
   *
   * @param feedsOf - checks the batch of this rank, and returns its sizes, and its tensors with those of the
   *   averaged weights.
   * @throws What `feedsOf` or the runtime throws; on the other ranks a RankError. Then the estimate is unchanged.
   */
  async add(
    feedsOf: () => Promise<{ readonly sizes: Sizes; readonly feeds: Tensors }>,
  ): Promise<void> {
    const { statistics } = await this.#load(this.#spec.differentiate.dimensions ?? {})
    if (statistics.size === 0) return
    const { value, failure } = await attemptAsync(async () => {
      const { sizes, feeds } = await feedsOf()
      return this.#statisticsOf(await this.#load(sizes), feeds)
    })
    if (failure && !this.#ranks) throw failure.reason
    const shapes = [...statistics.keys()].map((name) => [name, this.#shapes[name]] as const)
    const size = shapes.reduce((sum, [, shape]) => sum + elementCount(shape), 0)
    const own = value ?? new Float64Array(size)
    const all = this.#ranks
      ? await exchangeAsync(this.#ranks, gather(this.#ranks, own, failure))
      : [own]
    const { batches = 0, elements } = this.#sums ?? {}
    const total = batches + all.length
    const sums = own.map((_, i) => all.reduce((sum, one) => sum + one[i], elements?.[i] ?? 0))
    this.#sums = { batches: total, elements: sums }
    let at = 0
    const means = shapes.map(([name, shape]) => {
      const end = at + elementCount(shape)
      const data = Float32Array.from(sums.subarray(at, end), (sum) => sum / total)
      at = end
      return [name, { shape, data }] as const
    })
    this.#estimate = Object.fromEntries(means)
  }

  release(): Promise<void> {
    return this.#models.release()
  }

  /** The statistics of a batch. One that several normalizations share is the mean of theirs. */
  async #statisticsOf({ session, statistics }: SizedModel, feeds: Tensors): Promise<Float64Array> {
    const read = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))
    const results = await runSession(session, Object.fromEntries(read))
    const all = [...statistics.values()].flatMap((outputs) => {
      const [first, ...others] = outputs.map((output) => float32Data(results, output))
      return Array.from(first, (element, i) => {
        return others.reduce((sum, other) => sum + other[i], element) / outputs.length
      })
    })
    return Float64Array.from(all)
  }

  #load(dimensions: Sizes): Promise<SizedModel> {
    const { runtime, forward, differentiate, session } = this.#spec
    return this.#models.load(keyOf(dimensions), async () => {
      const built = statisticsModel(forward, { ...differentiate, dimensions })
      return { ...built, session: await createSession(runtime, built.model, session) }
    })
  }
}
