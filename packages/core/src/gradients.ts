import type { Backend } from './backend.ts'
import {
  type GroupGradients,
  type ParameterGroup,
  type ParameterGroups,
  pick,
} from './parameter-group.ts'
import { entriesOf, type Named } from './parameters.ts'
import type { Hyperparameters } from './rule.ts'
import { accumulateGradient, setGradient } from './transforms/accumulate.ts'
import { clipGradients } from './transforms/clip.ts'
import type { GradientTransforms } from './transforms/index.ts'

/**
 * Gradients by parameter name. A parameter without a gradient keeps its value, its state and its step
 * count.
 */
export type Gradients<T, Name extends string = string> = Named<T | null | undefined, Name>

/** Checks gradients and matches them with the parameters of each group. */
export class GradientMatcher<T, H extends Hyperparameters> {
  readonly #rule: { readonly name: string }
  readonly #backend: Backend<T, unknown>
  readonly #groups: ParameterGroups<T, H>
  /** The previous match, if its gradients were a frozen object, which always has the same arrays. */
  #previous:
    | {
        readonly version: number
        readonly gradients: Gradients<T>
        readonly matched: readonly GroupGradients<T, H>[]
      }
    | undefined

  constructor(
    rule: { readonly name: string },
    backend: Backend<T, unknown>,
    groups: ParameterGroups<T, H>,
  ) {
    this.#rule = rule
    this.#backend = backend
    this.#groups = groups
  }

  /**
   * The gradients of each group, in the order of its parameters.
   *
   * @throws RangeError naming an unknown parameter, or a gradient that does not fit its parameter.
   * @throws TypeError if the gradients are neither an object nor a list of pairs.
   */
  match(gradients: Gradients<T>): readonly GroupGradients<T, H>[] {
    const { version } = this.#groups
    const previous = this.#previous
    if (previous?.version === version && previous.gradients === gradients) {
      for (const groupGradients of previous.matched) this.#check(groupGradients)
      return previous.matched
    }
    const matched = this.#byGroup(gradients)
    for (const groupGradients of matched) this.#check(groupGradients)
    this.#previous = isFrozen(gradients) ? { version, gradients, matched } : undefined
    return matched
  }

  #byGroup(gradients: Gradients<T>): readonly GroupGradients<T, H>[] {
    const byName = new Map(entriesOf(this.#rule.name, 'gradients', gradients))
    for (const name of byName.keys()) {
      if (!this.#groups.has(name)) {
        throw new RangeError(
          `${this.#rule.name}: no parameter is called ${name}, but a gradient is`,
        )
      }
    }
    return [...this.#groups].map((group) => {
      const positions: number[] = []
      const present: T[] = []
      for (const [i, { name }] of group.parameters.entries()) {
        const gradient = byName.get(name)
        if (gradient === undefined || gradient === null) continue
        positions.push(i)
        present.push(gradient)
      }
      return { group, positions, gradients: present }
    })
  }

  #check({ group, positions, gradients }: GroupGradients<T, H>): void {
    for (let k = 0; k < positions.length; k++) {
      const { name, value } = group.parameters[positions[k]]
      const mismatch = this.#groups.hasArray(gradients[k])
        ? 'is itself a parameter, which would move before it is read'
        : (this.#backend.mismatch(value, gradients[k]) ?? this.#backend.overlap?.(gradients[k]))
      if (mismatch) throw new RangeError(`${this.#rule.name}: the gradient of ${name} ${mismatch}`)
    }
  }
}

/** Whether an object and thereby its properties are frozen; the entries of a frozen Map are not. */
const isFrozen = (named: object): boolean => Object.isFrozen(named) && !(Symbol.iterator in named)

/** Accumulates the gradients of one update over calls of `step`, and applies the gradient transforms. */
export class GradientAccumulator<T, H extends Hyperparameters> {
  /** The number of calls accumulated for the next update. */
  pending = 0
  readonly #backend: Backend<T, unknown>
  readonly #transforms: GradientTransforms

  constructor(backend: Backend<T, unknown>, transforms: GradientTransforms) {
    this.#backend = backend
    this.#transforms = transforms
  }

  /** The gradients of the update that is due, or undefined if more calls belong to it. */
  add(matched: readonly GroupGradients<T, H>[]): readonly GroupGradients<T, H>[] | undefined {
    const { accumulate, centralize, clip } = this.#transforms
    if (accumulate === 1 && !centralize && !clip) return matched
    for (const { group, positions, gradients } of matched) {
      const weight = 1 / accumulate
      const wasPending = positions.map((i) => group.pending[i])
      for (const [kernel, pending] of [
        [setGradient, false],
        [accumulateGradient, true],
      ] as const) {
        const at = positions.filter((_, k) => wasPending[k] === pending)
        const g = gradients.filter((_, k) => wasPending[k] === pending)
        this.#backend.apply(kernel, group.lists(at, g), { weight })
      }
      for (const i of positions) group.pending[i] = true
    }
    this.pending = (this.pending + 1) % accumulate
    return this.pending > 0 ? undefined : this.#take(matched.map(({ group }) => group))
  }

  /** Transformed copies of gradients, as if they alone made an update, in temporary arrays. */
  transformedCopies(matched: readonly GroupGradients<T, H>[]): readonly GroupGradients<T, H>[] {
    const copies = matched.map(({ group, positions, gradients }) => {
      const { gradient } = this.#backend.scratch(gradients, ['gradient'])
      this.#backend.apply(setGradient, { g: gradients, gradient }, { weight: 1 })
      return { group, positions, gradients: gradient }
    })
    this.#transform(copies)
    return copies
  }

  #take(groups: readonly ParameterGroup<T, H>[]): readonly GroupGradients<T, H>[] {
    const taken = groups.map((group) => {
      const positions = [...group.pending.keys()].filter((i) => group.pending[i])
      group.pending.fill(false)
      return { group, positions, gradients: pick(group.state.gradient, positions) }
    })
    this.#transform(taken)
    return taken
  }

  /** Centralizes and clips in place. */
  #transform(accumulated: readonly GroupGradients<T, H>[]): void {
    const { centralize, clip } = this.#transforms
    if (centralize) {
      for (const { group, positions, gradients } of accumulated) {
        for (const [k, gradient] of gradients.entries()) {
          const { shape = [] } = group.parameters[positions[k]]
          if (shape.length >= 2) this.#backend.centralize(gradient, shape)
        }
      }
    }
    if (clip) {
      const gradients = accumulated.flatMap((groupGradients) => groupGradients.gradients)
      clipGradients(this.#backend, clip, gradients)
    }
  }
}
