import type { Arithmetic } from '@diffgrad/core'
import {
  abs,
  add,
  broadcastTo,
  div,
  exp,
  maximum,
  minimum,
  mul,
  scalar,
  sigmoid,
  sqrt,
  square,
  sub,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core'
import { type Call, type Engine, positionsOf, variableOf } from './engine.ts'

const tensors: Arithmetic<Tensor> = {
  constant: (value) => scalar(value),
  add,
  sub,
  mul,
  div,
  min: minimum,
  max: maximum,
  abs,
  square,
  sqrt,
  exp,
  sigmoid,
}

/** Kernels as the operations of TensorFlow.js, one after the other: on every backend there is. */
export const tensorEngine: Engine = {
  takes: () => true,
  run(call: Call): void {
    const { kernel, lists, coefficients } = call
    tidy(() => {
      const scalars = Object.entries(coefficients).map(([name, c]) => [name, scalar(c)])
      const written = Array.from({ length: positionsOf(call) }, (_, k) => {
        const read = kernel.reads.map((name) => [name, lists[name][k]] as const)
        const operands = new Set(read.map(([, array]) => array))
        const results = kernel.evaluate(
          tensors,
          Object.fromEntries(read),
          Object.fromEntries(scalars),
        )
        return kernel.writes.map((name) => {
          const array = variableOf(lists[name][k])
          const result = results[name]
          // What a kernel only passes on, such as a gradient, may be an array that the user refills.
          if (operands.has(result)) return { array, result: mul(result, 1) }
          return {
            array,
            result: result.rank < array.rank ? broadcastTo(result, array.shape) : result,
          }
        })
      })
      // None before all are computed: a result may be another array that is written.
      for (const { array, result } of written.flat()) array.assign(result)
    })
  },
}
