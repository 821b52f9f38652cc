import { OnnxError } from './error.ts'
import { gradients } from './gradient/gradients.ts'
import type { Value } from './ir/value.ts'
import type { Model } from './model/model.ts'
import { type ModelOptions, type PlacedModel, placeModel } from './place-model.ts'

/** How a forward model is differentiated. */
export interface DifferentiateOptions extends ModelOptions {
  /** `train`: batch statistics, and dropout. `evaluate`: running statistics, and none. Default `train`. */
  readonly mode?: 'train' | 'evaluate'
}

/** A forward model in a graph, with its loss and what follows from it. */
export interface Differentiated extends PlacedModel {
  /** The gradient of every parameter that the loss depends on. */
  readonly gradients: ReadonlyMap<Value, Value>
}

/** Puts a model, its loss and all gradients into one graph. */
export function differentiate(
  model: Model,
  { mode = 'train', ...options }: DifferentiateOptions,
): Differentiated {
  const placed = placeModel(model, mode, options)
  const all = gradients(placed.loss, placed.parameters)
  if (all.size === 0)
    throw new OnnxError('model: the loss must depend on a parameter, but does not')
  return { ...placed, gradients: all }
}
