import type { ParameterState } from '@diffgrad/core'
import { reshape, Tensor, util } from '@tensorflow/tfjs-core'

/** A tensor in the words of an error message: `a float32 tensor of shape [3,2]`. */
export const describe = (tensor: Tensor | undefined): string =>
  tensor ? `a ${tensor.dtype} tensor of shape [${tensor.shape}]` : 'nothing'

/** Why a gradient does not fit its variable, to follow "the gradient of w"; or nothing. */
export function mismatch(variable: Tensor, gradient: unknown): string | undefined {
  if (variable.isDisposed) return 'has lost its variable, which was disposed of'
  if (!(gradient instanceof Tensor)) return `must be a tensor, but is ${String(gradient)}`
  if (gradient.isDisposed) return 'was disposed of'
  const fits = gradient.dtype === variable.dtype && util.arraysEqual(gradient.shape, variable.shape)
  return fits ? undefined : `must be ${describe(variable)}, but is ${describe(gradient)}`
}

/** Of what is saved without shapes, as in the format of all packages of diffgrad, with the variable's. */
export function fitted(
  { state, ...rest }: ParameterState<Tensor>,
  shape: number[],
): ParameterState<Tensor> {
  const tensors = Object.entries(state).map(([slot, tensor]) => {
    const flat = tensor.rank === 1 && tensor.size === util.sizeFromShape(shape)
    return [slot, flat ? reshape(tensor, shape) : tensor]
  })
  return { ...rest, state: Object.fromEntries(tensors) }
}
