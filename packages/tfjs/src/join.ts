import {
  type ArrayLists,
  type Backend,
  Optimizer as Conductor,
  type Hyperparameters,
  type Parameter,
} from '@diffgrad/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { describe, mismatch } from './fit.ts'
import type { TensorState } from './weights.ts'

const alike = (like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> =>
  Object.fromEntries(names.map((name) => [name, like]))

/** A backend without memory, on which nothing changes: what is refused on it would be on any. */
const rehearsal: Backend<Tensor, Tensor> = {
  mismatch,
  signature: describe,
  zeros: alike,
  scratch: alike,
  apply() {},
  norm: () => 0,
  centralize() {},
  read: (array) => array,
  write() {},
}

/**
 * Takes more parameters into a conductor, those that were saved in their saved state. They are in groups
 * of their own, because their settings are saved ones, too.
 *
 * @param known - those that it has.
 * @throws TypeError naming the first thing that does not fit. Then nothing has changed.
 */
export function join<O extends Hyperparameters>(
  conductor: Conductor<Tensor, O, Tensor>,
  known: readonly Parameter<Tensor>[],
  fresh: readonly Parameter<Tensor>[],
  saved: TensorState['parameters'],
): void {
  const isSaved = ({ name }: Parameter<Tensor>): boolean => Object.hasOwn(saved, name)
  if (!fresh.some(isSaved)) {
    conductor.add(fresh)
    return
  }
  const { rule, options } = conductor
  const position = conductor.stateDict()
  // A conductor gives back nothing that it took in, so all of it is rehearsed.
  for (const one of [new Conductor(rehearsal, rule, known, options), conductor]) {
    one.add(fresh.filter(isSaved))
    one.add(fresh.filter((parameter) => !isSaved(parameter)))
    const { parameters } = one.stateDict()
    one.loadStateDict({ ...position, parameters: { ...parameters, ...saved } })
  }
}
