import type { Backend } from '../backend.ts'
import type { Group, Some } from '../group.ts'
import { entriesOf, type Named } from '../named.ts'
import type { CommonOptions } from '../rule.ts'

/** Gradients by parameter name. A parameter without one keeps its value, memory and counter. */
export type Gradients<T> = Named<T | null | undefined>

/** Checks gradients, and sorts them by group, in the order of the parameters. */
export class Sorting<T, O extends CommonOptions> {
  readonly #rule: { readonly name: string }
  readonly #backend: Backend<T, unknown>
  readonly #groups: readonly Group<T, O>[]
  readonly #names: ReadonlySet<string>
  readonly #values: ReadonlySet<T>
  #last: readonly Some<T, O>[] = []
  /** The gradients of the last time, if the object is frozen, and so names the same arrays for ever. */
  #frozen: Gradients<T> | undefined

  constructor(
    rule: { readonly name: string },
    backend: Backend<T, unknown>,
    groups: readonly Group<T, O>[],
  ) {
    this.#rule = rule
    this.#backend = backend
    this.#groups = groups
    this.#names = new Set(groups.flatMap(({ names }) => names))
    this.#values = new Set(groups.flatMap(({ theta }) => theta))
  }

  /**
   * The same gradients as the last time give the very same lists, which a backend may recognize.
   *
   * @throws RangeError naming an unknown parameter, or a gradient that does not fit its parameter.
   * @throws TypeError if the gradients are neither an object nor a list of pairs.
   */
  sort(gradients: Gradients<T>): readonly Some<T, O>[] {
    const known = this.#frozen === gradients
    const sorted = known ? this.#last : this.#sorted(gradients)
    for (const some of sorted) this.#check(some)
    this.#last = sorted
    if (!known) this.#frozen = Object.isFrozen(gradients) ? gradients : undefined
    return sorted
  }

  #sorted(gradients: Gradients<T>): readonly Some<T, O>[] {
    const given = new Map(entriesOf(this.#rule.name, 'gradients', gradients))
    for (const name of given.keys()) {
      if (!this.#names.has(name)) {
        throw new RangeError(
          `${this.#rule.name}: no parameter is called ${name}, but a gradient is`,
        )
      }
    }
    return this.#groups.map((group, k) => {
      const positions: number[] = []
      const present: T[] = []
      for (const [i, { name }] of group.parameters.entries()) {
        const gradient = given.get(name)
        if (gradient === undefined || gradient === null) continue
        positions.push(i)
        present.push(gradient)
      }
      const last = this.#last[k]
      const same = last && equal(last.positions, positions) && equal(last.gradients, present)
      return same ? last : { group, positions, gradients: present }
    })
  }

  #check({ group, positions, gradients }: Some<T, O>): void {
    for (let k = 0; k < positions.length; k++) {
      const { name, value } = group.parameters[positions[k]]
      const mismatch = this.#values.has(gradients[k])
        ? 'is itself a parameter, which would move before it is read'
        : this.#backend.mismatch(value, gradients[k])
      if (mismatch) throw new RangeError(`${this.#rule.name}: the gradient of ${name} ${mismatch}`)
    }
  }
}

const equal = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i])
