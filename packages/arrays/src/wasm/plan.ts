import { arenaOf } from './arena.ts'
import type { Call } from './call.ts'
import type { KernelLists } from './stretches.ts'

/** What it takes to run a kernel on certain lists, and others like them. */
export class Plan {
  readonly #calls: readonly Call[]
  /** Which lists have arrays that the kernel works on in place. */
  readonly #inPlace: readonly boolean[]
  #lists: KernelLists

  constructor(lists: KernelLists, calls: readonly Call[]) {
    this.#lists = lists
    this.#calls = calls
    this.#inPlace = lists.map((_, k) => calls.some((call) => call.worksInPlace(k)))
  }

  /** Whether these lists can take the place of the last ones: they only differ in what is staged. */
  takes(lists: KernelLists): boolean {
    return lists.every((list, k) => list === this.#lists[k] || !this.#inPlace[k])
  }

  run(lists: KernelLists, coefficients: readonly number[], flush: boolean): void {
    this.#lists = lists
    for (const call of this.#calls) call.run(lists, coefficients, flush)
  }
}

/** Of a kernel's lists, one that is likely to be the same the next time. */
export const anchorOf = (lists: KernelLists): object =>
  lists.find(([array]) => array && arenaOf(array)) ?? lists[0]
