import type { Floats } from '../floats.ts'
import { arenaOf } from './arena.ts'
import type { Call } from './launch.ts'
import type { KernelLists } from './segments.ts'
import { type Dtype, dtypeOf } from './simd.ts'

/** More kinds of lists with one first array than a training goes back and forth between. */
const mostPlans = 32

/** What stands at one place of the lists: a certain array, if kernels work on it where it is. */
interface Place {
  readonly fixed: Floats | undefined
  readonly length: number
  readonly dtype: Dtype
}

/** What it takes to run a kernel on certain lists, and others like them. */
export class Plan {
  readonly #calls: readonly Call[]
  readonly #places: readonly (readonly Place[])[]
  /** Those of the last time: where they are the same again, their arrays need no look. */
  #lists: KernelLists

  constructor(lists: KernelLists, calls: readonly Call[]) {
    this.#lists = lists
    this.#calls = calls
    this.#places = lists.map((list) => list.map(placeOf))
  }

  /** Whether these lists can take the place of the first ones: they only differ in what is staged. */
  takes(lists: KernelLists): boolean {
    return this.#places.every((places, k) => {
      const list = lists[k]
      if (list === this.#lists[k]) return true
      return list.length === places.length && places.every((place, i) => fits(list[i], place))
    })
  }

  run(lists: KernelLists, coefficients: readonly number[], flush: boolean): void {
    this.#lists = lists
    for (const call of this.#calls) call.run(lists, coefficients, flush)
  }
}

/** The plans of one kernel, found again by the arrays themselves, in whatever lists they come. */
export class Plans {
  readonly #known = new WeakMap<object, readonly Plan[]>()

  /** The plan for some lists; a new one, if there is none. */
  of(lists: KernelLists, make: () => Plan): Plan {
    const anchor = lists.map(([first]) => first).find((first) => first && arenaOf(first)) ?? this
    const known = this.#known.get(anchor) ?? []
    const found = known.find((plan) => plan.takes(lists))
    if (found) return found
    const made = make()
    this.#known.set(anchor, [made, ...known].slice(0, mostPlans))
    return made
  }
}

const placeOf = (array: Floats): Place => ({
  fixed: arenaOf(array) && array,
  length: array.length,
  dtype: dtypeOf(array),
})

const fits = (array: Floats, { fixed, length, dtype }: Place): boolean =>
  fixed ? array === fixed : array.length === length && dtypeOf(array) === dtype
