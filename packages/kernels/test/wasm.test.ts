import { setFlagsFromString } from 'node:v8'
import {
  allRules,
  defineKernel,
  type RuleKernels,
  ruleKernels,
  trace,
  type UpdateRule,
} from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { accuracyOf, measuredFunctions } from '../scripts/ulps.ts'
import { createEngine, KernelMemory } from '../src/index.ts'
import { kernelBytes } from '../src/wasm/loop.ts'
import { sumKernelBytes } from '../src/wasm/sum-loop.ts'

// Node 20 has relaxed SIMD only on request; later ones have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd')

const dtypes = ['float32', 'float64'] as const

const kernelsOf = (rule: UpdateRule): RuleKernels => {
  const variant = rule.variant?.(rule.defaults, 1000) ?? {}
  return ruleKernels(rule, rule.defaults, { variant, decay: 'decoupled' })
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
  const features = { simd: true, threads: true, relaxed_simd: true }
  const validate = (bytes: Uint8Array): void => {
    // The types of wabt omit that validation takes features, too.
    const module: { validate(features: object): void; destroy(): void } = readWasm(bytes, features)
    expect(() => module.validate(features)).not.toThrow()
    module.destroy()
  }
  for (const rule of allRules) {
    const { update, sums } = kernelsOf(rule)
    for (const dtype of dtypes) {
      for (const [relaxed, shared, flush] of [
        [false, false, false],
        [false, true, true],
        [true, false, true],
      ]) {
        validate(kernelBytes(trace(update), { dtype, relaxed, shared, flush }))
      }
      for (const { elements } of sums) {
        for (const shared of [false, true])
          validate(sumKernelBytes(trace(elements), { dtype, shared }))
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

/** x ← x + (1 − a)·(g − x), the average of gradients in another form. */
const interpolate = defineKernel({
  name: 'interpolate',
  reads: ['x', 'g'],
  writes: ['x'],
  coefficients: ['a'],
  evaluate: ({ constant, add, sub, mul }, { x, g }, { a }) => ({
    x: add(x, mul(sub(constant(1), a), sub(g, x))),
  }),
})

/** x ← max(x, g), which never decays. */
const maximum = defineKernel({
  name: 'maximum',
  reads: ['x', 'g'],
  writes: ['x'],
  coefficients: ['a'],
  evaluate: ({ max }, { x, g }) => ({ x: max(x, g) }),
})

/** Kernels with g = 0, the share of x that remains, and the decay rate of the flush threshold. */
const decays = [
  [scale, 0.999, 0.999],
  [scale, 0.9, 0.9],
  [scale, 0.5, 0.9],
  [interpolate, 0.99, 0.99],
  [maximum, 1, 1],
] as const

const flushing = (['wasm', 'wasm-relaxed'] as const).flatMap((tier) => [
  [tier, Float32Array, 2 ** -126] as const,
  [tier, Float64Array, 2 ** -1022] as const,
])

test.each(flushing)(
  'on %s in %o, every 32nd step sets averages to zero that decay to subnormal numbers before the next',
  (tier, TypedArray, smallestNormal) => {
    const engine = createEngine(tier)
    for (const [kernel, a, beta] of decays) {
      const threshold = smallestNormal / beta ** 32
      const [below, above] = [0.999 * threshold, 1.001 * threshold]
      for (const t of [0, 1, 31, 32, 33, 64]) {
        const x = TypedArray.of(below / a, above / a, Number.NaN)
        engine.run(kernel, { x: [x], g: [new TypedArray(3)] }, { a }, t)
        const flushed = t > 0 && t % 32 === 0
        expectClose(x.subarray(0, 2), [flushed ? 0 : below, above], { relative: 1e-5 })
        expect(x[2]).toBeNaN()
      }
    }
  },
)

test('every 32nd step flushes in a memory of another module, too', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const kernels = new KernelMemory(memory, 'float32', { stagingElements: 64 })
  const x = new Float32Array(memory.buffer, 8192, 9)
  for (const [t, expected] of [
    [31, 2 ** -125],
    [32, 0],
  ]) {
    x.fill(2 ** -124)
    kernels.run(trace(scale), [8192], 9, { a: 0.5 }, t)
    expect(new Set(x)).toEqual(new Set([expected]))
  }
  x.fill(2 ** -100)
  kernels.run(trace(scale), [8192], 9, { a: 0.5 }, 32)
  expect(new Set(x)).toEqual(new Set([2 ** -101]))
})

test('no step flushes a parameter', () => {
  const theta = Float32Array.of(2 ** -130)
  const decay = defineKernel({
    name: 'decay',
    reads: ['theta'],
    writes: ['theta'],
    coefficients: ['a'],
    evaluate: ({ mul }, { theta }, { a }) => ({ theta: mul(a, theta) }),
  })
  createEngine('wasm').run(decay, { theta: [theta] }, { a: 1 }, 32)
  expect(theta[0]).toBe(2 ** -130)
})

test.each([1, 7, 8, 9, 16, 29])(
  '%i elements in a memory are computed, and none of their neighbours',
  (size) => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const [workspace, begin] = [1024, 16384]
    const kernels = new KernelMemory(memory, 'float32', { workspace, stagingElements: 64 })
    const all = new Float32Array(memory.buffer, begin - 4, size + 2).fill(3)
    kernels.run(trace(scale), [begin], size, { a: 2 })
    expect(Array.from(all)).toEqual([3, ...new Array(size).fill(6), 3])
  },
)

test('kernels run in a memory that has grown', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const kernels = new KernelMemory(memory, 'float64', { stagingElements: 64 })
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
  const kernels = new KernelMemory(new WebAssembly.Memory({ initial: 1 }), 'float32', {
    stagingElements: 64,
  })
  expect(kernels.supports(trace(scale))).toBe(true)
  expect(kernels.supports(trace(sum))).toBe(false)
  expect(() => kernels.run(trace(sum), [8192], 8, {})).toThrow(
    new RangeError('sum of coefficients: a kernel of 1 arrays and 1100 coefficients is too large'),
  )
})

const squares = defineKernel({
  name: 'squares',
  reads: ['x', 'y'],
  writes: ['differences', 'sum'],
  coefficients: ['scale'],
  evaluate({ mul, sub, square, constant }, { x, y }, { scale }) {
    const difference = square(mul(scale, sub(x, y)))
    return { differences: difference, sum: sub(constant(1), x) }
  },
})

/** Arrays of a memory, or outside of all memories. */
const places = ['in a memory', 'outside', 'both'] as const

test.each(places.flatMap((place) => dtypes.map((dtype) => ({ place, dtype }))))(
  'sums of $dtype arrays $place are those of each element, added in double precision',
  ({ place, dtype }) => {
    const memory = new KernelMemory(new WebAssembly.Memory({ initial: 30 }), dtype)
    const Elements = dtype === 'float32' ? Float32Array : Float64Array
    let address = KernelMemory.workspaceBytes(dtype)
    for (const length of [0, 5, 8, 8192, 20_003]) {
      const [x, y] = [0, 1].map((k) => {
        const inside = place === 'in a memory' || (place === 'both' && k === 0)
        const array = inside ? memory.array(address, length) : new Elements(length)
        if (inside) address += KernelMemory.paddedBytes(dtype, length)
        // Their squares, about 1e50, are no float32.
        array.set(Array.from({ length }, (_, i) => 1e25 * Math.cos(i + k)))
        return array
      })
      let [differences, sum] = [0, 0]
      for (const [i, element] of x.entries()) {
        differences += (0.5 * (element - y[i])) ** 2
        sum += 1 - element
      }
      const actual = createEngine('wasm').sums(squares, { x: [x], y: [y] }, { scale: 0.5 })
      const relative = dtype === 'float32' ? 1e-6 : 1e-12
      expectClose([actual.differences[0]], [differences], { relative })
      expect(Math.abs(actual.sum[0] - sum)).toBeLessThanOrEqual(relative * 1e25 * length)
    }
  },
)
