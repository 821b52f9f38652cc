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
import { type BackendEngine, type KernelLaunch, positionCount, variableOf } from './engine.ts'

const tensorArithmetic: Arithmetic<Tensor> = {
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

/** Runs kernels as operations of TensorFlow.js, one after another, on any backend. */
export const tensorOpsEngine: BackendEngine = {
  supports: () => true,
  run(launch: KernelLaunch): void {
    const { kernel, lists, coefficients } = launch
    tidy(() => {
      const scalars = Object.entries(coefficients).map(([name, c]) => [name, scalar(c)])
      const updates = Array.from({ length: positionCount(launch) }, (_, k) => {
        const inputs = kernel.reads.map((name) => [name, lists[name][k]] as const)
        const inputTensors = new Set(inputs.map(([, array]) => array))
        const results = kernel.evaluate(
          tensorArithmetic,
          Object.fromEntries(inputs),
          Object.fromEntries(scalars),
        )
        return kernel.writes.map((name) => {
          const array = variableOf(lists[name][k])
          const result = results[name]
          // An input that is also a result, such as a gradient, may be refilled by the user.
          if (inputTensors.has(result)) return { array, result: mul(result, 1) }
          return {
            array,
            result: result.rank < array.rank ? broadcastTo(result, array.shape) : result,
          }
        })
      })
      // After all results are computed, because one may be another array that is written.
      for (const { array, result } of updates.flat()) array.assign(result)
    })
  },
}
