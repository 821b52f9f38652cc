import { type Arithmetic, defineKernel, trace } from '@diffgrad/core'
import { compile } from '../src/wasm/compile.ts'
import { bind } from '../src/wasm/module.ts'
import { simdTypeOf } from '../src/wasm/simd.ts'

/** A function as WebAssembly computes it, and what it is exactly. */
export interface Subject {
  readonly name: string
  evaluate<T>(arithmetic: Arithmetic<T>, x: T): T
  exact(x: number): number
  /** Intervals outside of which the function does not change in float32, or is cut off. */
  readonly range: readonly (readonly [from: number, to: number])[]
}

/** Numbers this small do not show in σ(x) or eˣ. */
const tiny = 2 ** -26

/** The functions whose accuracy is stated, as rules use them. */
export const subjects: readonly Subject[] = [
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
  /** Where the error is largest. */
  readonly at: number
  readonly mean: number
  readonly count: number
}

const block = 65536
const [inputAt, outputAt] = [4096, 4096 + 4 * block]

/** Compares a function with its exact value for every `stride`th float32 in its range. */
export function accuracyOf(subject: Subject, relaxed: boolean, stride: number): Accuracy {
  const kernel = defineKernel({
    name: subject.name,
    reads: ['x'],
    writes: ['y'],
    coefficients: [],
    evaluate: (arithmetic, { x }) => ({ y: subject.evaluate(arithmetic, x) }),
  })
  const memory = new WebAssembly.Memory({ initial: 16 })
  const form = { dtype: 'float32', relaxed, shared: false, flush: false } as const
  const run = bind(compile(trace(kernel), form).module, memory)
  new Uint32Array(memory.buffer, 0, 2).set([inputAt, outputAt])
  const input = new Float32Array(memory.buffer, inputAt, block)
  const bits = new Int32Array(memory.buffer, inputAt, block)
  const output = new Float32Array(memory.buffer, outputAt, block)

  let [worst, at, sum, count] = [0, 0, 0, 0]
  for (const [from, to] of subject.range) {
    const last = bitsOf(to)
    for (let next = bitsOf(from); next <= last; next += stride * block) {
      for (let i = 0; i < block; i++) bits[i] = Math.min(next + stride * i, last)
      run(0, 0, block)
      for (let i = 0; i < block; i++) {
        const error = ulps(output[i], subject.exact(input[i]))
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

/** The bits of a float32 as an integer. Numbers of one sign that grow in size have bits that grow. */
function bitsOf(x: number): number {
  float[0] = x
  return integer[0]
}

const unitOfExponent = Float64Array.from({ length: 256 }, (_, e) => 2 ** (Math.max(e, 1) - 150))

/** How many units in the last place of an exact value another one is off. */
function ulps(value: number, exact: number): number {
  float[0] = exact
  const exponent = (integer[0] >> simdTypeOf.float32.mantissa) & 255
  return Math.abs(value - exact) / unitOfExponent[exponent]
}
