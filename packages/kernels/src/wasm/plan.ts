import type { Graph } from '@diffgrad/core'
import { type Dtype, dtypeOf, type FloatArray } from '../typed-arrays.ts'
import { type KernelPool, type LaunchOptions, memoryOf } from './launch.ts'
import {
  copyIn,
  copyOut,
  type KernelLists,
  type Segment,
  type Staging,
  stagingOf,
} from './staging.ts'

/** One kernel over one segment, prepared to run many times. */
export class KernelLaunch {
  readonly #graph: Graph
  readonly #segment: Segment
  readonly #pool: KernelPool | undefined
  readonly #staging: Staging | undefined
  readonly #reads: readonly boolean[]
  readonly #writes: readonly boolean[]
  /** The kernel's addresses; those of staged lists are in the staging buffer. */
  readonly #addresses: number[]

  /** @param pool - the threads that share the work, if the segment is large enough for them. */
  constructor(graph: Graph, segment: Segment, pool: KernelPool | undefined) {
    this.#graph = graph
    this.#segment = segment
    this.#pool = pool
    this.#reads = graph.arrays.map((name) => graph.reads.has(name))
    this.#writes = graph.arrays.map((name) => graph.writes.has(name))
    this.#staging = stagingOf(segment, this.#writes)
    this.#addresses = segment.addresses.map((address) => (address === 'staged' ? 0 : address))
    for (const { index, address } of this.#staging?.lists ?? []) this.#addresses[index] = address
  }

  /** @param lists - the arrays; those that are not staged must be the ones of the segment. */
  run(lists: KernelLists, coefficients: readonly number[], options: LaunchOptions): void {
    const { memory, elements } = this.#segment
    if (this.#staging) {
      this.#runStaged(this.#staging, lists, coefficients, options)
    } else {
      const pooled = { ...options, pool: this.#pool }
      memory.runPadded(this.#graph, this.#addresses, elements, coefficients, pooled)
    }
  }

  #runStaged(
    { lists: staged, chunks }: Staging,
    lists: KernelLists,
    coefficients: readonly number[],
    options: LaunchOptions,
  ): void {
    const { memory, addresses } = this.#segment
    for (const [k, chunk] of chunks.entries()) {
      for (const [index, address] of addresses.entries()) {
        if (address !== 'staged') {
          this.#addresses[index] = address + chunk.from * memory.elementBytes
        }
      }
      for (const list of staged) {
        if (this.#reads[list.index]) copyIn(lists[list.index], list, chunk)
      }
      memory.runPadded(this.#graph, this.#addresses, chunk.elements, coefficients, options)
      for (const list of staged) {
        if (this.#writes[list.index]) copyOut(lists[list.index], list, chunk, k)
      }
    }
  }
}

/** What a plan requires of the array at one position of a list. */
interface Requirement {
  /** The array itself, if kernels use it in place. */
  readonly array: FloatArray | undefined
  readonly length: number
  readonly dtype: Dtype
}

/** The launches of a kernel over certain lists, and over others that differ only in staged arrays. */
export class Plan {
  readonly #launches: readonly KernelLaunch[]
  readonly #requirements: readonly (readonly Requirement[])[]
  /** The lists of the last run, whose arrays are known to fit. */
  #lists: KernelLists

  constructor(lists: KernelLists, launches: readonly KernelLaunch[]) {
    this.#lists = lists
    this.#launches = launches
    this.#requirements = lists.map((list) => list.map(requirementOf))
  }

  /** Whether it can run over these lists. */
  fits(lists: KernelLists): boolean {
    return this.#requirements.every((requirements, k) => {
      const list = lists[k]
      if (list === this.#lists[k]) return true
      return (
        list.length === requirements.length &&
        requirements.every((requirement, i) => meets(list[i], requirement))
      )
    })
  }

  run(lists: KernelLists, coefficients: readonly number[], options: LaunchOptions): void {
    this.#lists = lists
    for (const launch of this.#launches) launch.run(lists, coefficients, options)
  }
}

/** The most plans with one first array: more than a training alternates between. */
const mostPlans = 32

/** The plans of one kernel, by the arrays that it uses in place. */
export class PlanCache {
  readonly #plans = new WeakMap<object, readonly Plan[]>()

  /** Returns the plan for lists; makes it on the first use. */
  planFor(lists: KernelLists, make: () => Plan): Plan {
    const key = lists.map(([first]) => first).find((first) => first && memoryOf(first)) ?? this
    const plans = this.#plans.get(key) ?? []
    const known = plans.find((plan) => plan.fits(lists))
    if (known) return known
    const plan = make()
    this.#plans.set(key, [plan, ...plans].slice(0, mostPlans))
    return plan
  }
}

const requirementOf = (array: FloatArray): Requirement => ({
  array: memoryOf(array) && array,
  length: array.length,
  dtype: dtypeOf(array),
})

const meets = (candidate: FloatArray, { array, length, dtype }: Requirement): boolean =>
  array ? candidate === array : candidate.length === length && dtypeOf(candidate) === dtype
