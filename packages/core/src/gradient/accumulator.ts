import type { Backend } from '../backend.ts'
import { type Group, type GroupGradients, pick } from '../group.ts'
import type { CommonOptions } from '../rule.ts'
import type { Surroundings } from '../surroundings.ts'
import { accumulate, begin, condition } from './transforms.ts'

/** Collects the gradients of one update, over as many calls as it takes, and conditions them. */
export class GradientAccumulator<T, O extends CommonOptions> {
  /** How many calls wait for the update. */
  waiting = 0
  readonly #backend: Backend<T, unknown>
  readonly #surroundings: Surroundings

  constructor(backend: Backend<T, unknown>, surroundings: Surroundings) {
    this.#backend = backend
    this.#surroundings = surroundings
  }

  /** Whether gradients are changed or kept, for which each parameter needs an array `gradient`. */
  get needsMemory(): boolean {
    const { accumulate, centralize, clip } = this.#surroundings
    return accumulate > 1 || centralize || clip !== false
  }

  /** The gradients of the update that is due, or undefined while more are to come. */
  add(given: readonly GroupGradients<T, O>[]): readonly GroupGradients<T, O>[] | undefined {
    if (!this.needsMemory) return given
    for (const { group, positions, gradients } of given) {
      const share = 1 / this.#surroundings.accumulate
      const known = positions.map((i) => group.waiting[i])
      for (const [kernel, goesOn] of [[begin, false] as const, [accumulate, true] as const]) {
        const at = positions.filter((_, k) => known[k] === goesOn)
        const g = gradients.filter((_, k) => known[k] === goesOn)
        this.#backend.apply(kernel, group.lists(at, g), { share })
      }
      for (const i of positions) group.waiting[i] = true
    }
    this.waiting = (this.waiting + 1) % this.#surroundings.accumulate
    return this.waiting > 0 ? undefined : this.#taken(given.map(({ group }) => group))
  }

  /** What the gradients would be if they were all of an update, in arrays of their own. */
  copy(given: readonly GroupGradients<T, O>[]): readonly GroupGradients<T, O>[] {
    const copies = given.map(({ group, positions, gradients }) => {
      const { gradient } = this.#backend.scratch(gradients, ['gradient'])
      this.#backend.apply(begin, { g: gradients, gradient }, { share: 1 })
      return { group, positions, gradients: gradient }
    })
    this.#condition(copies)
    return copies
  }

  #taken(groups: readonly Group<T, O>[]): readonly GroupGradients<T, O>[] {
    const taken = groups.map((group) => {
      const positions = [...group.waiting.keys()].filter((i) => group.waiting[i])
      group.waiting.fill(false)
      return { group, positions, gradients: pick(group.memory.gradient, positions) }
    })
    this.#condition(taken)
    return taken
  }

  #condition(some: readonly GroupGradients<T, O>[]): void {
    const gradients = some.flatMap(({ group, positions, gradients }) =>
      gradients.map((gradient, k) => ({
        gradient,
        shape: group.parameters[positions[k]].shape ?? [],
      })),
    )
    condition(this.#backend, this.#surroundings, gradients)
  }
}
