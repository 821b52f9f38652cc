import { ArraysOptimizer } from '@diffgrad/arrays'
import { defineRule } from '@diffgrad/core'
import { RuleOptimizer } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'

// A rule of your own is a pure function over an arithmetic. The same rule runs on typed arrays, where it is
// compiled to WebAssembly, on TensorFlow.js, and in a trainer of ONNX models.

/**
 * Momentum that forgets where the gradient turns: m ← μm + g where m and g agree, else m ← g.
 * (½ + ½ sign(m·g)) is 1 where they agree, and 0 where they do not.
 */
const restartingMomentum = defineRule({
  name: 'restartingMomentum',
  defaults: { learningRate: 0.01, weightDecay: 0, decay: 'l2', momentum: 0.9 },
  stateNames: () => ['m'],
  coefficients: ({ learningRate, momentum }) => ({ learningRate, momentum, half: 0.5 }),
  update({ add, mul, sign }, { g, m: previous }, c) {
    const agrees = add(c.half, mul(c.half, sign(mul(previous, g))))
    const m = add(mul(c.momentum, mul(agrees, previous)), g)
    return { step: mul(c.learningRate, m), m }
  },
})

const options = { learningRate: 0.02, momentum: 0.95 }
const start = [3, -4]
const steps = 100

// The gradient of 5x² + ½y².
const x = Float32Array.from(start)
const onArrays = new ArraysOptimizer(restartingMomentum, { x }, options)
for (let t = 0; t < steps; t++) onArrays.step({ x: Float32Array.of(10 * x[0], x[1]) })

const curvatures = tf.tensor1d([10, 1])
const variable = tf.variable(tf.tensor1d(start))
const onTensors = new RuleOptimizer(restartingMomentum, options)
for (let t = 0; t < steps; t++) {
  onTensors.minimize(() => tf.sum(curvatures.mul(variable).mul(variable).div(2)) as tf.Scalar)
}

const reached = variable.dataSync<'float32'>()
const difference = Math.max(...x.map((value, i) => Math.abs(value - reached[i])))
console.log(`typed arrays reach ${[...x].map((value) => value.toFixed(5)).join(', ')}`)
console.log(`TensorFlow.js differs by ${difference < 1e-5 ? 'less than 1e-5' : difference}`)
