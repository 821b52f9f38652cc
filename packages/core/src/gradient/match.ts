import type { Backend } from '../backend.ts'
import type { Group, GroupGradients } from '../group.ts'
import { entriesOf, type Named } from '../named.ts'
import type { CommonOptions } from '../rule.ts'

/** Gradients by parameter name. A parameter without one keeps its value, memory and counter. */
export type Gradients<T> = Named<T | null | undefined>

/** Checks gradients, and sorts them by group, in the order of the parameters. */
export class GradientMatcher<T, O extends CommonOptions> {
  readonly #rule: { readonly name: string }
  readonly #backend: Backend<T, unknown>
  readonly #groups: readonly Group<T, O>[]
  readonly #names: ReadonlySet<string>
  readonly #values: ReadonlySet<T>
  /** The gradients of the last time, if their object names the same arrays for ever. */
  #fixed:
    | { readonly gradients: Gradients<T>; readonly sorted: readonly GroupGradients<T, O>[] }
    | undefined

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
   * @throws RangeError naming an unknown parameter, or a gradient that does not fit its parameter.
   * @throws TypeError if the gradients are neither an object nor a list of pairs.
   */
  sort(gradients: Gradients<T>): readonly GroupGradients<T, O>[] {
    const known = this.#fixed?.gradients === gradients ? this.#fixed.sorted : undefined
    const sorted = known ?? this.#sorted(gradients)
    for (const some of sorted) this.#check(some)
    if (!known) this.#fixed = isFixed(gradients) ? { gradients, sorted } : undefined
    return sorted
  }

  #sorted(gradients: Gradients<T>): readonly GroupGradients<T, O>[] {
    const given = new Map(entriesOf(this.#rule.name, 'gradients', gradients))
    for (const name of given.keys()) {
      if (!this.#names.has(name)) {
        throw new RangeError(
          `${this.#rule.name}: no parameter is called ${name}, but a gradient is`,
        )
      }
    }
    return this.#groups.map((group) => {
      const positions: number[] = []
      const present: T[] = []
      for (const [i, { name }] of group.parameters.entries()) {
        const gradient = given.get(name)
        if (gradient === undefined || gradient === null) continue
        positions.push(i)
        present.push(gradient)
      }
      return { group, positions, gradients: present }
    })
  }

  #check({ group, positions, gradients }: GroupGradients<T, O>): void {
    for (let k = 0; k < positions.length; k++) {
      const { name, value } = group.parameters[positions[k]]
      const mismatch = this.#values.has(gradients[k])
        ? 'is itself a parameter, which would move before it is read'
        : this.#backend.mismatch(value, gradients[k])
      if (mismatch) throw new RangeError(`${this.#rule.name}: the gradient of ${name} ${mismatch}`)
    }
  }
}

/** Whether an object is frozen in all that it names, as a Map is not. */
const isFixed = (named: object): boolean => Object.isFrozen(named) && !(Symbol.iterator in named)
