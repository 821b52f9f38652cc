import type { Backend } from './backend.ts'
import type { Kernel } from './kernel.ts'
import type { ParameterGroup, ParameterGroups, WeightState } from './parameter-group.ts'
import { type Hyperparameters, type Scalars, type UpdateRule, zeroSums } from './rule.ts'
import { type StepKernels, type StepScalars, scalarsAt } from './rule-kernels.ts'
import { cautiousScale } from './transforms/cautious.ts'
import { emaDecayAt, emaInit, emaSwap, emaUpdate } from './transforms/ema.ts'
import type { Transforms } from './transforms/index.ts'
import { lookaheadInit, lookaheadSync } from './transforms/lookahead.ts'

/** The gradients of some parameters of a group, which are given by their positions in it. */
export interface GroupGradients<T, H extends Hyperparameters> {
  readonly group: ParameterGroup<T, H>
  readonly positions: readonly number[]
  readonly gradients: readonly T[]
}

/** The gradients of parameters with the same step count and scalar state, which share their coefficients. */
interface SameStepGradients<T, H extends Hyperparameters> extends GroupGradients<T, H> {
  /** The number of updates of each of these parameters. */
  readonly step: number
  /** The scalar state of each of these parameters. */
  readonly scalars: Scalars
}

/** An update that is ready to be made. */
export interface PreparedUpdate<T, H extends Hyperparameters>
  extends SameStepGradients<T, H>,
    StepKernels {}

/**
 * Computes what updates need, before any array changes: one update for the parameters that share their
 * coefficients, or one for each parameter if they depend on sums over elements.
 *
 * @param hyperparametersOf - the hyperparameters of a group. Throws a RangeError if one is out of range.
 */
export function prepareUpdates<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  gradients: readonly GroupGradients<T, H>[],
  { cautious }: Pick<Transforms, 'cautious'>,
  hyperparametersOf: (group: ParameterGroup<T, H>) => H,
): readonly PreparedUpdate<T, H>[] {
  return gradients.flatMap(splitByStep).flatMap((sameStep) => {
    const { group, step, scalars } = sameStep
    const { rule } = group
    const hyperparameters = hyperparametersOf(group)
    const t = step + 1
    const kernels = group.kernels(hyperparameters, t, cautious)
    const scalarsOf = (sums: Scalars): StepScalars =>
      scalarsAt(rule, hyperparameters, t, scalars, sums)
    const together = { ...sameStep, ...kernels, ...scalarsOf(zeroSums(rule)) }
    const prepared = kernels.sums
      ? bySums(backend, together, kernels.sums, (one, sums) => ({ ...one, ...scalarsOf(sums) }))
      : [together]
    const { agreement } = kernels
    if (!agreement) return prepared
    return prepared.flatMap((update) =>
      bySums(backend, update, agreement, ({ coefficients, ...one }, sums) => ({
        ...one,
        coefficients: { ...coefficients, cautiousScale: cautiousScale(sums) },
      })),
    )
  })
}

/** One update for each parameter of an update, completed by the sums of a kernel over the parameter. */
function bySums<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  update: PreparedUpdate<T, H>,
  kernel: Kernel,
  complete: (one: PreparedUpdate<T, H>, sums: Scalars) => PreparedUpdate<T, H>,
): readonly PreparedUpdate<T, H>[] {
  const { group, positions, gradients, coefficients } = update
  const lists = group.lists(positions, gradients)
  const sums = Object.entries(sumsOf(backend, kernel.name)(kernel, lists, coefficients))
  return positions.map((position, k) => {
    const one = { ...update, positions: [position], gradients: [gradients[k]] }
    return complete(one, Object.fromEntries(sums.map(([name, values]) => [name, values[k]])))
  })
}

/** @throws RangeError if an update needs sums over each parameter, and the backend has none. */
export function checkSums<H extends Hyperparameters>(
  backend: Backend<unknown, unknown>,
  { name, sums }: UpdateRule<H>,
  { cautious }: Pick<Transforms, 'cautious'>,
): void {
  if (sums || cautious) sumsOf(backend, cautious ? `${name} with cautious` : name)
}

/** The sums of kernels on a backend. @throws RangeError if it has none. */
function sumsOf<T>(
  backend: Backend<T, unknown>,
  name: string,
): NonNullable<Backend<T, unknown>['sums']> {
  const { sums } = backend
  if (sums) return sums.bind(backend)
  throw new RangeError(
    `${name}: needs sums over each parameter at every step, which this backend cannot read at once`,
  )
}

/** Splits gradients by the step counts and the scalar states of their parameters. */
function splitByStep<T, H extends Hyperparameters>(
  groupGradients: GroupGradients<T, H>,
): readonly SameStepGradients<T, H>[] {
  const { group, positions, gradients } = groupGradients
  const [first] = positions
  if (first === undefined) return []
  const { [first]: step } = group.steps
  const { [first]: scalars } = group.scalars
  // Parameters that take their steps together have the same object as their scalar state.
  if (positions.every((i) => group.steps[i] === step && group.scalars[i] === scalars)) {
    return [{ ...groupGradients, step, scalars }]
  }
  const byStep = new Map<
    string,
    SameStepGradients<T, H> & { positions: number[]; gradients: T[] }
  >()
  for (const [k, i] of positions.entries()) {
    const key = JSON.stringify([group.steps[i], group.scalars[i]])
    const same = byStep.get(key) ?? {
      ...{ group, positions: [], gradients: [] },
      ...{ step: group.steps[i], scalars: group.scalars[i] },
    }
    byStep.set(key, same)
    same.positions.push(i)
    same.gradients.push(gradients[k])
  }
  return [...byStep.values()]
}

/** Makes an update, and what the transforms of weights add to it. Nothing here can fail. */
export function applyUpdate<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  { group, positions, gradients, step, update, coefficients, nextScalars }: PreparedUpdate<T, H>,
  { lookahead, ema }: Transforms,
): void {
  const t = step + 1
  const lists = group.lists(positions, gradients)
  backend.apply(update, lists, coefficients, t)
  for (const i of positions) {
    group.steps[i] = t
    group.scalars[i] = nextScalars
  }
  if (lookahead && t % lookahead.every === 0) {
    backend.apply(lookaheadSync, lists, { alpha: lookahead.alpha })
  }
  if (ema) backend.apply(emaUpdate, lists, { oneMinusDecay: 1 - emaDecayAt(ema, t) })
}

/** Starts slow weights and the EMA at the parameters' values, where they have not started yet. */
export function initializeWeights<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: Iterable<ParameterGroup<T, H>>,
  { lookahead, ema }: Transforms,
): void {
  const initialize = (kernel: Kernel, group: ParameterGroup<T, H>, name: WeightState): void => {
    const initialized = group.initialized[name]
    const positions = [...initialized.keys()].filter((i) => !initialized[i])
    if (positions.length === 0) return
    backend.apply(kernel, group.lists(positions), {})
    initialized.fill(true)
  }
  for (const group of groups) {
    if (lookahead) initialize(lookaheadInit, group, 'slow')
    if (ema) initialize(emaInit, group, 'ema')
  }
}

/**
 * Swaps the weights with their EMA.
 *
 * @throws RangeError naming a parameter whose array is detached or has another length. Then nothing has
 * changed.
 */
export function swapWithEma<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: ParameterGroups<T, H>,
  transforms: Transforms,
): void {
  for (const { rule, names, theta, state } of groups) {
    for (const [i, value] of theta.entries()) {
      const mismatch = backend.mismatch(value, state.ema[i])
      if (mismatch) throw new RangeError(`${rule.name}: the EMA of ${names[i]} ${mismatch}`)
    }
  }
  initializeWeights(backend, groups, transforms)
  for (const group of groups) {
    backend.apply(emaSwap, group.lists([...group.steps.keys()]), {})
  }
}
