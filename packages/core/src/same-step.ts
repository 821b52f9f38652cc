import type { Backend } from './backend.ts'
import type { ParameterGroup } from './parameter-group.ts'
import { type Hyperparameters, type Scalars, type UpdateRule, zeroSums } from './rule.ts'
import { type StepKernels, scalarsAt } from './rule-kernels.ts'

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
 * coefficients, or one for each parameter if the rule has sums over elements.
 *
 * @param hyperparametersOf - the hyperparameters of a group. Throws a RangeError if one is out of range.
 */
export function prepareUpdates<T, H extends Hyperparameters>(
  backend: Backend<T, unknown>,
  rule: UpdateRule<H>,
  gradients: readonly GroupGradients<T, H>[],
  hyperparametersOf: (group: ParameterGroup<T, H>) => H,
): readonly PreparedUpdate<T, H>[] {
  return gradients.flatMap(splitByStep).flatMap((sameStep) => {
    const { group, step, scalars } = sameStep
    const hyperparameters = hyperparametersOf(group)
    const t = step + 1
    const kernels = group.kernels(hyperparameters, t)
    const prepared = (one: SameStepGradients<T, H>, sums: Scalars): PreparedUpdate<T, H> => ({
      ...one,
      ...kernels,
      ...scalarsAt(rule, hyperparameters, t, scalars, sums),
    })
    if (!kernels.sums) return [prepared(sameStep, zeroSums(rule))]
    const { positions, gradients } = sameStep
    const { weightDecay } = hyperparameters
    const lists = group.lists(positions, gradients)
    const sums = backend.sums?.(kernels.sums, lists, { weightDecay }) ?? {}
    return positions.map((position, k) => {
      const own = Object.entries(sums).map(([name, values]) => [name, values[k]])
      const one = { ...sameStep, positions: [position], gradients: [gradients[k]] }
      return prepared(one, Object.fromEntries(own))
    })
  })
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
