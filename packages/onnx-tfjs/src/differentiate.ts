import { keep, type NamedTensorMap, type Scalar, variableGrads } from '@tensorflow/tfjs-core'
import type { Network, Outputs } from './network.ts'

/** What a batch gave: tensors of whoever asked. */
export interface Differentiated extends Outputs {
  readonly loss: Scalar
  /** By the names of parameters. */
  readonly gradients: NamedTensorMap
}

/**
 * Runs a network as in training, and differentiates a loss.
 * @param inputs - makes tensors, which are disposed of.
 */
export function differentiate(
  network: Network,
  inputs: () => NamedTensorMap,
  loss: (outputs: NamedTensorMap) => Scalar,
): Differentiated {
  let outputs: NamedTensorMap = {}
  let next: NamedTensorMap = {}
  const { value, grads } = variableGrads(() => {
    const run = network.run(inputs(), true)
    outputs = kept(run.outputs)
    next = kept(run.next)
    return loss(outputs)
  }, [...network.parameters.values()])
  return { loss: value, gradients: grads, outputs, next }
}

const kept = (tensors: NamedTensorMap): NamedTensorMap =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, keep(tensor)]))
