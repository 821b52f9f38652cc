import { allocate, cosine, DiffGrad } from '@diffgrad/arrays'
import { seeded } from '@diffgrad/onnx'

// Logistic regression on plain arrays: the gradient is yours, the optimizer moves the weights in place.

/** Points of two overlapping clouds around (−1, 0) and (1, 1), with their class. */
const random = seeded(1)
const points = Array.from({ length: 400 }, (_, i) => {
  const label = i % 2
  return { x: [2 * label - 1 + random.normal(), label + random.normal()], label }
})

const { parameters, gradients } = allocate({ weights: [2], bias: [1] })
const { weights, bias } = parameters
const steps = 200
const optimizer = new DiffGrad(parameters, {
  learningRate: cosine({ from: 0.1, steps }),
  groups: [{ parameters: /weights/, weightDecay: 1e-3 }],
})

/** The probability of class 1. */
const predict = (x: readonly number[]): number =>
  1 / (1 + Math.exp(-(weights[0] * x[0] + weights[1] * x[1] + bias[0])))

for (let t = 0; t < steps; t++) {
  gradients.weights.fill(0)
  gradients.bias.fill(0)
  for (const { x, label } of points) {
    const error = (predict(x) - label) / points.length // of the mean cross-entropy
    gradients.weights[0] += error * x[0]
    gradients.weights[1] += error * x[1]
    gradients.bias[0] += error
  }
  optimizer.step(gradients)
}

const right = points.filter(({ x, label }) => predict(x) > 0.5 === (label === 1)).length
const direction = Math.atan2(weights[1], weights[0])
console.log(`boundary at ${((direction * 180) / Math.PI).toFixed(0)}°`)
console.log(`accuracy ${(right / points.length).toFixed(3)}`)
