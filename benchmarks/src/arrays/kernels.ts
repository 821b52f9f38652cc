import { adam, diffGrad, diffMod, diffRGrad, stepKernels, type UpdateRule } from '@diffgrad/core'
import {
  createEngine,
  generatedDiffGrad,
  type KernelEngine,
  wasmSupported,
} from '@diffgrad/kernels'
import { Arena, rowBytes } from '../../../packages/arrays/src/arena.ts'
import { touch } from './peer-diffgrad.ts'
import type { Timings } from './report.ts'
import { gradientAt, initialAt } from './workloads.ts'

/** A step after the warm-up of every rule, at which denormal numbers are not flushed. */
const t = 1001

const names = ['theta', 'g', 'm', 'v', 'previousGradient', 's']

/**
 * Times kernels over the same arrays, one after the other, round by round.
 *
 * @returns nanoseconds per parameter.
 */
export function timeKernels(elements: number, rounds: number): Timings {
  const arena = Arena.create('float32', names.length * rowBytes([elements], 'float32'))
  if (!arena) throw new Error(`no WebAssembly memory for ${elements} elements`)
  const arrays = Object.fromEntries(names.map((name) => [name, arena.allocate([elements]) ?? []]))
  for (let i = 0; i < elements; i++) {
    arrays.theta[0][i] = initialAt(i)
    arrays.g[0][i] = gradientAt(i)
  }
  const kernel = (rule: UpdateRule, engine: KernelEngine): (() => void) => {
    const { update, coefficients } = stepKernels(rule, rule.defaults, t)
    return () => engine.run(update, arrays, coefficients, t)
  }
  const wasm = createEngine('wasm')
  const kernels: Record<string, () => void> = {
    touch: kernel(touch, wasm),
    Adam: kernel(adam, wasm),
    diffGrad: kernel(diffGrad, wasm),
    DiffMod: kernel(diffMod, wasm),
    DiffRGrad: kernel(diffRGrad, wasm),
  }
  if (wasmSupported(true)) {
    const relaxed = createEngine('wasm-relaxed')
    kernels['Adam, relaxed'] = kernel(adam, relaxed)
    kernels['diffGrad, relaxed'] = kernel(diffGrad, relaxed)
    kernels['DiffMod, relaxed'] = kernel(diffMod, relaxed)
    kernels['DiffRGrad, relaxed'] = kernel(diffRGrad, relaxed)
  }
  const javascript = createEngine('javascript', { generated: generatedDiffGrad })
  kernels['diffGrad, JavaScript'] = kernel(diffGrad, javascript)

  const repeats = Math.max(1, Math.round(4e6 / elements))
  const timings = new Map(Object.keys(kernels).map((name) => [name, [] as number[]]))
  for (let round = -2; round < rounds; round++) {
    for (const [name, run] of Object.entries(kernels)) {
      const start = performance.now()
      for (let k = 0; k < repeats; k++) run()
      const time = (1e6 * (performance.now() - start)) / repeats / elements
      if (round >= 0) timings.get(name)?.push(time) // The first two rounds are warm-up.
    }
  }
  return Object.fromEntries(timings)
}
