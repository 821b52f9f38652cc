import { type Arithmetic, defineKernel, trace } from '@diffgrad/core'
import { KernelMemory } from '../src/wasm/launch.ts'

/** A function that kernels compute, and its exact value. */
export interface MeasuredFunction {
  readonly name: string
  evaluate<T>(arithmetic: Arithmetic<T>, x: T): T
  exact(x: number): number
  /** Intervals outside of which the float32 result is constant, or clamped. */
  readonly range: readonly (readonly [from: number, to: number])[]
}

/** Smaller arguments do not change σ(x) or eˣ. */
const tiny = 2 ** -26

/** The functions whose accuracy is stated, as rules use them. */
export const measuredFunctions: readonly MeasuredFunction[] = [
  {
    name: 'sigmoid(|x|)',
    evaluate: ({ sigmoid, abs }, x) => sigmoid(abs(x)),
    exact: (x) => 1 / (1 + Math.exp(-x)),
    range: [[tiny, 88]],
  },
  {
    name: 'sigmoid(x)',
    evaluate: ({ sigmoid }, x) => sigmoid(x),
    exact: (x) => 1 / (1 + Math.exp(-x)),
    range: [
      [tiny, 88],
      [-tiny, -87],
    ],
  },
  {
    name: 'exp(x)',
    evaluate: ({ exp }, x) => exp(x),
    exact: Math.exp,
    range: [
      [tiny, 88],
      [-tiny, -87],
    ],
  },
]

/** The largest and the mean error, in units in the last place of the exact result. */
export interface Accuracy {
  readonly worst: number
  /** The argument of the largest error. */
  readonly at: number
  readonly mean: number
  readonly count: number
}

const block = 65536

/** Compares a function with its exact value for every `stride`th float32 in its range. */
export function accuracyOf(
  { name, evaluate, exact, range }: MeasuredFunction,
  relaxed: boolean,
  stride: number,
): Accuracy {
  const kernel = defineKernel({
    name,
    reads: ['x'],
    writes: ['y'],
    coefficients: [],
    evaluate: (arithmetic, { x }) => ({ y: evaluate(arithmetic, x) }),
  })
  const workspace = KernelMemory.workspaceBytes('float32')
  const memory = new KernelMemory(new WebAssembly.Memory({ initial: 16 }), 'float32')
  const [inputAt, outputAt] = [workspace, workspace + 4 * block]
  const input = memory.view(inputAt, block)
  const bits = new Int32Array(memory.memory.buffer, inputAt, block)
  const output = memory.view(outputAt, block)
  const graph = trace(kernel)

  let [worst, at, sum, count] = [0, 0, 0, 0]
  for (const [from, to] of range) {
    const last = bitsOf(to)
    for (let next = bitsOf(from); next <= last; next += stride * block) {
      for (let i = 0; i < block; i++) bits[i] = Math.min(next + stride * i, last)
      memory.runPadded(graph, [inputAt, outputAt], block, [], { t: 0, relaxed })
      for (let i = 0; i < block; i++) {
        const error = ulps(output[i], exact(input[i]))
        if (!(error <= worst)) [worst, at] = [error, input[i]]
        sum += error
      }
      count += block
    }
  }
  return { worst, at, mean: sum / count, count }
}

const float = new Float32Array(1)
const integer = new Int32Array(float.buffer)

/** The bits of a float32 as an integer, which grow with the magnitude. */
function bitsOf(x: number): number {
  float[0] = x
  return integer[0]
}

const mantissaBits = 23

const unitOfExponent = Float64Array.from({ length: 256 }, (_, e) => 2 ** (Math.max(e, 1) - 150))

/** The error of a value, in units in the last place of the exact value. */
function ulps(value: number, exact: number): number {
  float[0] = exact
  const exponent = (integer[0] >> mantissaBits) & 255
  return Math.abs(value - exact) / unitOfExponent[exponent]
}
