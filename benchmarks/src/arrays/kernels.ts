import { adam, diffGrad, diffMod, diffRGrad, ruleKernels, type UpdateRule } from '@diffgrad/core'
import type { Engine } from '../../../packages/arrays/src/engine.ts'
import { diffGradLoops } from '../../../packages/arrays/src/generated/diffgrad.ts'
import { Loops } from '../../../packages/arrays/src/loops.ts'
import { Arena, rowBytes } from '../../../packages/arrays/src/wasm/arena.ts'
import { compiles } from '../../../packages/arrays/src/wasm/compile.ts'
import { WasmEngine } from '../../../packages/arrays/src/wasm/engine.ts'
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
  const arena = new Arena('float32', names.length * rowBytes([elements], 'float32'), false)
  const arrays = Object.fromEntries(names.map((name) => [name, arena.row([elements]) ?? []]))
  for (let i = 0; i < elements; i++) {
    arrays.theta[0][i] = initialAt(i)
    arrays.g[0][i] = gradientAt(i)
  }
  const kernel = (rule: UpdateRule, engine: Engine): (() => void) => {
    const form = rule.form?.(rule.defaults, t) ?? {}
    const { update } = ruleKernels(rule, rule.defaults, { form, decay: 'none' })
    const coefficients = rule.coefficients(rule.defaults, t)
    return () => engine.run(update, arrays, coefficients, t)
  }
  const wasm = new WasmEngine(false, 1)
  const kernels: Record<string, () => void> = {
    touch: kernel(touch, wasm),
    Adam: kernel(adam, wasm),
    diffGrad: kernel(diffGrad, wasm),
    DiffMod: kernel(diffMod, wasm),
    DiffRGrad: kernel(diffRGrad, wasm),
  }
  if (compiles(true)) {
    const relaxed = new WasmEngine(true, 1)
    kernels['Adam, relaxed'] = kernel(adam, relaxed)
    kernels['diffGrad, relaxed'] = kernel(diffGrad, relaxed)
    kernels['DiffMod, relaxed'] = kernel(diffMod, relaxed)
    kernels['DiffRGrad, relaxed'] = kernel(diffRGrad, relaxed)
  }
  kernels['diffGrad, JavaScript'] = kernel(diffGrad, new Loops('javascript', diffGradLoops))

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
