import {
  allRules,
  defineKernel,
  type Kernel,
  ruleKernels,
  trace,
  type UpdateRule,
} from '@diffgrad/core'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { accuracyOf, measuredFunctions } from '../scripts/ulps.ts'
import { createEngine, KernelMemory } from '../src/index.ts'
import { kernelBytes } from '../src/wasm/loop.ts'

const updateOf = (rule: UpdateRule): Kernel => {
  const variant = rule.variant?.(rule.defaults, 1000) ?? {}
  return ruleKernels(rule, rule.defaults, { variant, decay: 'decoupled' }).update
}

/** x ← a·x */
const scale = defineKernel({
  name: 'scale',
  reads: ['x'],
  writes: ['x'],
  coefficients: ['a'],
  evaluate: ({ mul }, { x }, { a }) => ({ x: mul(a, x) }),
})

test('an independent validator accepts every module', async () => {
  const { readWasm } = await wabt()
  for (const rule of allRules) {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const [relaxed, shared, flush] of [
        [false, false, false],
        [false, true, true],
        [true, false, true],
      ]) {
        const bytes = kernelBytes(trace(updateOf(rule)), { dtype, relaxed, shared, flush })
        const features = { simd: true, threads: true, relaxed_simd: true }
        // The types of wabt omit that validation takes features, too.
        const module: { validate(features: object): void; destroy(): void } = readWasm(
          bytes,
          features,
        )
        expect(() => module.validate(features)).not.toThrow()
        module.destroy()
      }
    }
  }
})

test.each(measuredFunctions)('the error of $name is within its bound', (measured) => {
  const bounds: Readonly<Record<string, number>> = {
    'sigmoid(|x|)': 2,
    'sigmoid(x)': 2.5,
    'exp(x)': 1.5,
  }
  expect(accuracyOf(measured, false, 211).worst).toBeLessThan(bounds[measured.name])
})

test.each([
  ['float32', 2 ** -110, 2 ** -90],
  ['float64', 2 ** -910, 2 ** -890],
] as const)(
  'in %s, every 32nd step sets a running average below the threshold to zero',
  (dtype, below, above) => {
    const TypedArray = dtype === 'float32' ? Float32Array : Float64Array
    const engine = createEngine('wasm')
    for (const [t, flushed] of [
      [0, below],
      [1, below],
      [31, below],
      [32, 0],
      [33, below],
      [64, 0],
    ]) {
      const x = TypedArray.of(below, -below, above, Number.NaN)
      engine.run(scale, { x: [x] }, { a: 1 }, t)
      expect(x).toEqual(TypedArray.of(flushed, flushed === 0 ? 0 : -below, above, Number.NaN))
    }
  },
)

test('no step flushes a parameter', () => {
  const theta = Float32Array.of(2 ** -110)
  const decay = defineKernel({
    name: 'decay',
    reads: ['theta'],
    writes: ['theta'],
    coefficients: ['a'],
    evaluate: ({ mul }, { theta }, { a }) => ({ theta: mul(a, theta) }),
  })
  createEngine('wasm').run(decay, { theta: [theta] }, { a: 1 }, 32)
  expect(theta[0]).toBe(2 ** -110)
})

test.each([1, 7, 8, 9, 16, 29])(
  '%i elements in a memory are computed, and none of their neighbours',
  (size) => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const [workspace, begin] = [1024, 16384]
    const kernels = new KernelMemory(memory, 'float32', workspace, 64)
    const all = new Float32Array(memory.buffer, begin - 4, size + 2).fill(3)
    kernels.run(trace(scale), [begin], size, { a: 2 })
    expect(Array.from(all)).toEqual([3, ...new Array(size).fill(6), 3])
  },
)

test('kernels run in a memory that has grown', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const kernels = new KernelMemory(memory, 'float64', 0, 64)
  kernels.run(trace(scale), [8192], 1, { a: 2 })
  memory.grow(1)
  const x = new Float64Array(memory.buffer, 65536, 2).fill(5)
  kernels.run(trace(scale), [65536], 2, { a: 3 })
  expect(x).toEqual(Float64Array.of(15, 15))
})

test('a kernel whose arguments do not fit into the workspace is refused', () => {
  const coefficients = Array.from({ length: 1100 }, (_, i) => `c${i}`)
  const sum = defineKernel({
    name: 'sum of coefficients',
    reads: [],
    writes: ['x'],
    coefficients,
    evaluate: ({ add }, _, c) => ({ x: coefficients.map((name) => c[name]).reduce(add) }),
  })
  const kernels = new KernelMemory(new WebAssembly.Memory({ initial: 1 }), 'float32', 0, 64)
  expect(kernels.supports(trace(scale))).toBe(true)
  expect(kernels.supports(trace(sum))).toBe(false)
  expect(() => kernels.run(trace(sum), [8192], 8, {})).toThrow(
    new RangeError('sum of coefficients: a kernel of 1 arrays and 1100 coefficients is too large'),
  )
})
