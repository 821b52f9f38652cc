import type { Backend } from './backend.ts'
import { type ParameterGroup, type ParameterGroups, pick } from './parameter-group.ts'
import { entriesOf, type Named } from './parameters.ts'
import type { Hyperparameters } from './rule.ts'
import { accumulateGradient, setGradient } from './transforms/accumulate.ts'
import { clipGradients } from './transforms/clip.ts'
import type { GradientTransforms } from './transforms/index.ts'
import type { GroupGradients } from './update.ts'

/**
 * Gradients by parameter name. A parameter without a gradient keeps its value, its state and its step
 * count.
 */
export type Gradients<T, Name extends string = string> = Named<T | null | undefined, Name>

/** Names and arrays of gradients, in their order. */
interface Entries<T> {
  readonly names: readonly string[]
  readonly arrays: readonly (T | null | undefined)[]
}

/** The gradients of a group, which were checked. */
interface GroupMatch<T, H extends Hyperparameters> {
  readonly matched: GroupGradients<T, H>
  /** The position of each of them in the entries. */
  readonly indices: readonly number[]
  /** Whether they fit for as long as the groups stay the same. */
  readonly isFixed: boolean
}

/** The gradients of one call, and where they belong. */
interface Match<T, H extends Hyperparameters> extends Entries<T> {
  /** The version of the groups. */
  readonly version: number
  readonly gradients: Gradients<T>
  readonly groups: readonly GroupMatch<T, H>[]
}

/**
 * Checks gradients and matches them with the parameters of each group. While names and groups stay the same,
 * it only looks for arrays that differ from those of the previous call: matching the names of 1000 small
 * parameters takes longer than their update.
 */
export class GradientMatcher<T, H extends Hyperparameters> {
  readonly #rule: { readonly name: string }
  readonly #backend: Backend<T, unknown>
  readonly #groups: ParameterGroups<T, H>
  #previous: Match<T, H> | undefined

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
   * The gradients of each group, in the order of its parameters. The lists of a group are the same objects
   * as after the previous call if they hold the same arrays.
   *
   * @throws RangeError naming an unknown parameter, or a gradient that does not fit its parameter.
   * @throws TypeError if the gradients are neither an object nor a list of pairs.
   */
  match(gradients: Gradients<T>): readonly GroupGradients<T, H>[] {
    const { version } = this.#groups
    const previous = this.#previous?.version === version ? this.#previous : undefined
    if (previous && previous.gradients === gradients && isFrozen(gradients)) {
      for (const group of previous.groups) this.#checkSizes(group)
      return previous.groups.map(({ matched }) => matched)
    }
    const entries = namesAndArrays(this.#rule, gradients)
    const groups =
      previous && haveSameNames(entries, previous)
        ? previous.groups.map((group) => this.#withArrays(group, entries))
        : this.#matchNames(entries)
    this.#previous = { version, gradients, ...entries, groups }
    return groups.map(({ matched }) => matched)
  }

  #matchNames({ names, arrays }: Entries<T>): readonly GroupMatch<T, H>[] {
    const indexOf = new Map(names.map((name, index) => [name, index]))
    for (const name of indexOf.keys()) {
      if (!this.#groups.has(name)) {
        throw new RangeError(
          `${this.#rule.name}: no parameter is called ${name}, but a gradient is`,
        )
      }
    }
    return Array.from(this.#groups, (group) => {
      const positions: number[] = []
      const gradients: T[] = []
      const indices: number[] = []
      for (const [i, name] of group.names.entries()) {
        const index = indexOf.get(name)
        const gradient = index === undefined ? undefined : arrays[index]
        if (index === undefined || gradient === undefined || gradient === null) continue
        positions.push(i)
        gradients.push(gradient)
        indices.push(index)
      }
      return this.#checked({ group, positions, gradients }, indices)
    })
  }

  /** The match of a group after its arrays may have been replaced. */
  #withArrays(previous: GroupMatch<T, H>, { arrays }: Entries<T>): GroupMatch<T, H> {
    const { matched, indices } = previous
    if (indices.every((index, k) => arrays[index] === matched.gradients[k])) {
      this.#checkSizes(previous)
      return previous
    }
    // `haveSameNames` has found a gradient wherever there was one.
    const gradients = indices.map((index) => arrays[index] as T)
    return this.#checked({ ...matched, gradients }, indices)
  }

  #checked(matched: GroupGradients<T, H>, indices: readonly number[]): GroupMatch<T, H> {
    const { group, positions, gradients } = matched
    for (const [k, gradient] of gradients.entries()) {
      const { name, value } = group.parameters[positions[k]]
      this.#refuse(
        name,
        this.#groups.hasArray(gradient)
          ? 'is itself a parameter, which would move before it is read'
          : (this.#backend.mismatch(value, gradient) ?? this.#backend.overlap?.(gradient)),
      )
    }
    const isFixed = gradients.every((gradient) => this.#backend.isFixed?.(gradient))
    return { matched, indices, isFixed }
  }

  /** Checks the arrays of a match again, which may have lost their elements since. */
  #checkSizes({ matched: { group, positions, gradients }, isFixed }: GroupMatch<T, H>): void {
    if (isFixed) return
    for (let k = 0; k < positions.length; k++) {
      const mismatch = this.#backend.mismatch(group.theta[positions[k]], gradients[k])
      if (mismatch) this.#refuse(group.names[positions[k]], mismatch)
    }
  }

  #refuse(name: string, mismatch: string | undefined): void {
    if (mismatch) throw new RangeError(`${this.#rule.name}: the gradient of ${name} ${mismatch}`)
  }
}

/** Lists names and arrays. Two lists are quicker to make than many pairs. */
function namesAndArrays<T>(
  { name: rule }: { readonly name: string },
  gradients: Gradients<T>,
): Entries<T> {
  if (typeof gradients === 'object' && gradients !== null && !(Symbol.iterator in gradients)) {
    return { names: Object.keys(gradients), arrays: Object.values(gradients) }
  }
  const entries = entriesOf(rule, 'gradients', gradients)
  return { names: entries.map(([name]) => name), arrays: entries.map(([, array]) => array) }
}

/** Whether an object and thereby its properties are frozen; the entries of a frozen Map are not. */
const isFrozen = (named: object): boolean => Object.isFrozen(named) && !(Symbol.iterator in named)

/** Whether the same names, in the same order, have gradients. */
function haveSameNames<T>({ names, arrays }: Entries<T>, previous: Entries<T>): boolean {
  if (names.length !== previous.names.length) return false
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== previous.names[i]) return false
    if (isMissing(arrays[i]) !== isMissing(previous.arrays[i])) return false
  }
  return true
}

const isMissing = (array: unknown): boolean => array === undefined || array === null

/** Accumulates the gradients of one update over calls of `step`, and applies the gradient transforms. */
export class GradientAccumulator<T, H extends Hyperparameters> {
  /** The number of calls accumulated for the next update, on this rank. */
  pending = 0
  /** The number of ranks, each of which makes an equal share of the calls of an update. */
  ranks = 1
  readonly #backend: Backend<T, unknown>
  readonly #transforms: GradientTransforms

  constructor(backend: Backend<T, unknown>, transforms: GradientTransforms) {
    this.#backend = backend
    this.#transforms = transforms
  }

  /**
   * The gradients of the update that is due, not transformed yet, or undefined if more calls belong to it.
   */
  add(matched: readonly GroupGradients<T, H>[]): readonly GroupGradients<T, H>[] | undefined {
    const { accumulate, centralize, clip, maximize } = this.#transforms
    if (accumulate === 1 && !centralize && !clip && !maximize) return matched
    for (const { group, positions, gradients } of matched) {
      const weight = this.#sign / accumulate
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
    this.pending = (this.pending + 1) % (accumulate / this.ranks)
    return this.pending > 0 ? undefined : this.#take(matched.map(({ group }) => group))
  }

  /** Transformed copies of gradients, as if they alone made an update, in temporary arrays. */
  transformedCopies(matched: readonly GroupGradients<T, H>[]): readonly GroupGradients<T, H>[] {
    const copies = matched.map(({ group, positions, gradients }) => {
      const { gradient } = this.#backend.scratch(gradients, ['gradient'])
      this.#backend.apply(setGradient, { g: gradients, gradient }, { weight: this.#sign })
      return { group, positions, gradients: gradient }
    })
    this.transform(copies)
    return copies
  }

  #take(groups: readonly ParameterGroup<T, H>[]): readonly GroupGradients<T, H>[] {
    return groups.map((group) => {
      const positions = [...group.pending.keys()].filter((i) => group.pending[i])
      group.pending.fill(false)
      return { group, positions, gradients: pick(group.state.gradient, positions) }
    })
  }

  /** The sign of gradients in the steps: minus to ascend. */
  get #sign(): number {
    return this.#transforms.maximize ? -1 : 1
  }

  /** Centralizes and clips in place. */
  transform(accumulated: readonly GroupGradients<T, H>[]): void {
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
