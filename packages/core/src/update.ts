import type { ArrayLists, Backend } from './backend.ts'
import type { Kernel, SumKernels } from './kernel.ts'
import type { ParameterGroup, ParameterGroups, WeightState } from './parameter-group.ts'
import type { Hyperparameters, Scalars, UpdateRule } from './rule.ts'
import { evaluationKernel, type StepKernels, scalarsAt, scalarsWithSums } from './rule-kernels.ts'
import { copyWeights, emaDecayAt, emaUpdate, swapWeights } from './transforms/ema.ts'
import { type Transforms, trainingWeights } from './transforms/index.ts'
import { lookaheadSync } from './transforms/lookahead.ts'

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

/**
 * An update that is ready to be made. Its coefficients are complete, unless the backend computes those that depend on
 * sums: then `sums` says how.
 */
export interface PreparedUpdate<T, H extends Hyperparameters>
  extends SameStepGradients<T, H>,
    StepKernels {}

/**
 * Computes what updates need, before any array changes: one update for the parameters that share their
 * coefficients, or one for each parameter if they depend on sums that are read.
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
    const update = { ...sameStep, ...kernels, ...scalarsAt(rule, hyperparameters, t, scalars) }
    if (kernels.sums.length === 0 || backend.applyWithSums) return [update]
    return kernels.sums.reduce<readonly PreparedUpdate<T, H>[]>(
      (updates, sums) => updates.flatMap((one) => bySums(backend, one, sums)),
      [{ ...update, sums: [] }],
    )
  })
}

/** One update for each parameter of an update, completed by sums over the parameter. */
function bySums<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  update: PreparedUpdate<T, H>,
  kernels: SumKernels,
): readonly PreparedUpdate<T, H>[] {
  const { group, positions, gradients, coefficients } = update
  const { elements } = kernels
  const lists = group.readLists(positions, gradients)
  if (!backend.sums) throw sumsError(elements.name)
  const sums = Object.entries(backend.sums(elements, lists, coefficients))
  return positions.map((position, k) => {
    const own = Object.fromEntries(sums.map(([name, values]) => [name, values[k]]))
    const one = { ...update, positions: [position], gradients: [gradients[k]] }
    return { ...one, ...scalarsWithSums(kernels, update, own) }
  })
}

/** @throws RangeError if an update needs sums over each parameter, and the backend has none. */
export function checkSums<T, H extends Hyperparameters>(
  backend: Pick<Backend<T, unknown>, 'sums' | 'applyWithSums'>,
  { name, sums }: UpdateRule<H>,
  { cautious }: Pick<Transforms, 'cautious'>,
): void {
  if (!(sums || cautious) || backend.sums || backend.applyWithSums) return
  throw sumsError(cautious ? `${name} with cautious` : name)
}

const sumsError = (name: string): RangeError =>
  new RangeError(`${name}: needs sums over each parameter at every step, which this backend lacks`)

/**
 * Runs a kernel with the coefficients of an update. Returns the scalar state after the update.
 *
 * @param t - the step, from 1, if the kernel is its update.
 */
export function applyKernel<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  { sums, coefficients, nextScalars }: PreparedUpdate<T, H>,
  kernel: Kernel,
  lists: ArrayLists<T>,
  t?: number,
): Scalars {
  if (sums.length > 0 && backend.applyWithSums) {
    return backend.applyWithSums(sums, kernel, lists, coefficients, nextScalars, t)
  }
  backend.apply(kernel, lists, coefficients, t)
  return nextScalars
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
  // Parameters that take their steps together have the same object as their scalar state. One that depends on sums
  // is each parameter's own, and its numbers may still be on a device.
  const isOwn = group.rule.sums?.initial !== undefined
  if (!isOwn && positions.every((i) => group.steps[i] === step && group.scalars[i] === scalars)) {
    return [{ ...groupGradients, step, scalars }]
  }
  const byStep = new Map<
    string,
    SameStepGradients<T, H> & { positions: number[]; gradients: T[] }
  >()
  for (const [k, i] of positions.entries()) {
    const key = isOwn ? `${i}` : JSON.stringify([group.steps[i], group.scalars[i]])
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
  prepared: PreparedUpdate<T, H>,
  { lookahead, ema }: Transforms,
): void {
  const { group, positions, gradients, step, update } = prepared
  const t = step + 1
  const lists = group.lists(positions, gradients)
  if (step === 0) {
    for (const name of group.startsAsTheta) {
      backend.apply(copyWeights, { from: lists.theta, to: lists[name] }, {})
    }
  }
  const scalars = applyKernel(backend, prepared, update, lists, t)
  for (const i of positions) {
    group.steps[i] = t
    group.scalars[i] = scalars
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
  const initialize = (group: ParameterGroup<T, H>, name: WeightState): void => {
    const initialized = group.initialized[name]
    const positions = [...initialized.keys()].filter((i) => !initialized[i])
    if (positions.length === 0) return
    const lists = group.lists(positions)
    backend.apply(copyWeights, { from: lists.theta, to: lists[name] }, {})
    initialized.fill(true)
  }
  for (const group of groups) {
    if (lookahead) initialize(group, 'slow')
    if (ema) initialize(group, 'ema')
  }
}

/** Starts the saved training weights of parameters that are added while the weights are swapped. */
export function startTrainingWeights<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: Iterable<ParameterGroup<T, H>>,
): void {
  for (const { rule, theta, state } of groups) {
    if (!rule.evaluationPoint) continue
    backend.apply(copyWeights, { from: theta, to: state[trainingWeights] }, {})
  }
}

/**
 * Swaps the weights with their average: their EMA, or the evaluation point of the rule. Arrays for the training
 * weights exist only while the evaluation point is in their place, so that they return bit for bit.
 *
 * @param swapped - whether the weights are swapped before.
 * @throws RangeError naming a parameter whose array is detached or has another length. Then nothing has
 * changed.
 */
export function swapWithAverage<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: ParameterGroups<T, H>,
  transforms: Transforms,
  swapped: boolean,
): void {
  const all = [...groups]
  for (const { rule, names, theta, state } of all) {
    const average = rule.evaluationPoint?.reads[0] ?? 'ema'
    if (!rule.evaluationPoint && !transforms.ema) continue
    for (const [i, value] of theta.entries()) {
      const mismatch = backend.mismatch(value, state[average][i])
      if (mismatch) throw new RangeError(`${rule.name}: the ${average} of ${names[i]} ${mismatch}`)
    }
  }
  if (transforms.ema) {
    initializeWeights(backend, groups, transforms)
    for (const group of all) {
      backend.apply(swapWeights, group.lists([...group.steps.keys()]), {})
    }
  }
  const averaging = all.filter(({ rule }) => rule.evaluationPoint)
  if (averaging.length === 0) return
  if (swapped) returnTrainingWeights(backend, groups, averaging)
  else evaluationPoints(backend, groups, averaging)
}

/** Replaces the weights of some groups by their evaluation points. */
function evaluationPoints<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: ParameterGroups<T, H>,
  averaging: readonly ParameterGroup<T, H>[],
): void {
  const replacements = averaging.map((group) => {
    const state = { ...group.state, ...backend.zeros(group.theta, [trainingWeights]) }
    return [group, group.withState(state)] as const
  })
  groups.replace(new Map(replacements.map(([before, after]) => [before, [after]])))
  for (const [, group] of replacements) {
    const { evaluationPoint } = group.rule
    const kernel = evaluationKernel(group.rule)
    if (!evaluationPoint || !kernel) continue
    // The kernel reads no gradients.
    const every = { group, positions: [...group.steps.keys()], gradients: group.theta }
    for (const { positions, scalars } of splitByStep(every)) {
      backend.apply(kernel, group.lists(positions), evaluationPoint.coefficients(scalars))
    }
  }
}

/** Copies the training weights of some groups back, and frees their arrays. */
function returnTrainingWeights<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  groups: ParameterGroups<T, H>,
  averaging: readonly ParameterGroup<T, H>[],
): void {
  const replacements = averaging.map((group) => {
    const { [trainingWeights]: training, ...state } = group.state
    backend.apply(copyWeights, { from: training, to: group.theta }, {})
    return { group, training, after: group.withState(state) }
  })
  groups.replace(new Map(replacements.map(({ group, after }) => [group, [after]])))
  const unused = replacements.flatMap(({ training }) => training)
  backend.free?.(unused, [])
}
