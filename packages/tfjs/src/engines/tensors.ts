import type { Arithmetic, Values } from '@diffgrad/core'
import {
  abs,
  add,
  broadcastTo,
  div,
  exp,
  isNaN as isNaNTensor,
  maximum,
  minimum,
  mul,
  scalar,
  sigmoid,
  sign,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tidy,
  where,
} from '@tensorflow/tfjs-core'
import {
  type BackendEngine,
  type ElementSums,
  type KernelLaunch,
  type KernelOperands,
  positionCount,
  variableOf,
} from './engine.ts'

/** Operations of TensorFlow.js. */
export const tensorArithmetic: Arithmetic<Tensor> = {
  constant: (value) => scalar(value),
  add,
  sub,
  mul,
  div,
  min: minimum,
  max: maximum,
  abs,
  sign: (a) => where(isNaNTensor(a), a, sign(a)),
  square,
  sqrt,
  exp,
  sigmoid,
}

/** What a kernel writes at a position. */
function evaluateAt(
  { kernel, lists, coefficients, dependents }: KernelOperands,
  k: number,
): Values<Tensor> {
  const inputs = kernel.reads.map((name) => [name, lists[name][k]])
  return kernel.evaluate(tensorArithmetic, Object.fromEntries(inputs), {
    ...scalarTensors(coefficients),
    ...dependents?.[k],
  })
}

/** Numbers as tensors. */
export const scalarTensors = (numbers: Values<number>): Values<Tensor> =>
  Object.fromEntries(Object.entries(numbers).map(([name, c]) => [name, scalar(c)]))

/** Runs kernels as operations of TensorFlow.js, one after another, on any backend. */
export const tensorOpsEngine: BackendEngine & Required<Pick<BackendEngine, 'sums'>> = {
  supports: () => true,
  /** Reads all sums from the device at once. */
  sums(operands: KernelOperands): ElementSums {
    const { kernel } = operands
    const positions = positionCount(operands)
    if (positions === 0) return {}
    const sums = tidy(() => {
      const results = Array.from({ length: positions }, (_, k) => evaluateAt(operands, k))
      return stack(
        kernel.writes.flatMap((name) => results.map((result) => sum(result[name]))),
      ).dataSync()
    })
    const entries = kernel.writes.map((name, i) => [
      name,
      Array.from(sums.subarray(i * positions, (i + 1) * positions)),
    ])
    return Object.fromEntries(entries)
  },
  run(launch: KernelLaunch): void {
    const { kernel, lists } = launch
    tidy(() => {
      const updates = Array.from({ length: positionCount(launch) }, (_, k) => {
        const inputTensors = new Set(kernel.reads.map((name) => lists[name][k]))
        const results = evaluateAt(launch, k)
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
