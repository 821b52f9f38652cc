import { sizeOf } from '../ir/value.ts'
import { apply } from '../ops/operations.ts'
import { type Initializer, ones, zeros } from './initializers.ts'
import { type Layer, parameter } from './layer.ts'

/** How a normalization guards its division, and what it starts from. */
export interface NormalizationOptions {
  /** ε, added to the variance. Default 1e-5. */
  readonly epsilon?: number
  /** γ. Default ones; zeros let a residual block begin as its shortcut. */
  readonly scale?: Initializer
}

/** Normalizes every channel over the batch in training, by running statistics otherwise. */
export const batchNorm =
  ({
    epsilon = 1e-5,
    scale = ones,
    momentum = 0.9,
  }: NormalizationOptions & {
    /** How much of the running statistics a step keeps, in [0, 1]. Default 0.9. */
    readonly momentum?: number
  } = {}): Layer =>
  (x, scope) => {
    const shape = [sizeOf(x, 1)]
    const inputs = [
      parameter(x, scope, 'weight', shape, scale),
      parameter(x, scope, 'bias', shape, zeros),
      parameter(x, scope, 'running_mean', shape, zeros),
      parameter(x, scope, 'running_var', shape, ones),
    ]
    return apply('BatchNormalization', [x, ...inputs], {
      epsilon: { float: epsilon },
      momentum: { float: momentum },
    })
  }

/** Normalizes every row over the last axis. */
export const layerNorm =
  ({ epsilon = 1e-5, scale = ones }: NormalizationOptions = {}): Layer =>
  (x, scope) => {
    const shape = [sizeOf(x, -1)]
    const weight = parameter(x, scope, 'weight', shape, scale)
    const bias = parameter(x, scope, 'bias', shape, zeros)
    return apply('LayerNormalization', [x, weight, bias], { axis: -1, epsilon: { float: epsilon } })
  }
