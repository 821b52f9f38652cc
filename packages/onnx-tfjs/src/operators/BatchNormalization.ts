import { add, batchNorm, moments, mul, type Tensor1D } from '@tensorflow/tfjs-core'
import type { Operator } from '../operator.ts'
import { Value } from '../value.ts'

/**
 * y = γ·(x − μ)/√(σ² + ε) + β, with the mean and variance of each channel: where γ is being trained
 * those of the batch, which also move the running ones; else the running ones.
 */
export const BatchNormalization: Operator = (application) => {
  const { image } = application.input(0)
  const [scale, bias, runningMean, runningVariance] = [1, 2, 3, 4].map(
    (index) => application.input(index).onnx as Tensor1D, // By the operator's definition.
  )
  const epsilon = application.float('epsilon', 1e-5)
  if (!application.trains(1)) {
    const y = batchNorm(image, runningMean, runningVariance, bias, scale, epsilon)
    return Value.ofImage(y)
  }
  const { mean, variance } = moments(image, [0, 1, 2])
  const momentum = application.float('momentum', 0.9)
  for (const [index, running, batch] of [
    [3, runningMean, mean],
    [4, runningVariance, variance],
  ] as const) {
    application.move(index, add(mul(running, momentum), mul(batch, 1 - momentum)))
  }
  // Means of single channels have one axis.
  return Value.ofImage(
    batchNorm(image, mean as Tensor1D, variance as Tensor1D, bias, scale, epsilon),
  )
}
