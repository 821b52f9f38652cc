import { adam, diffGrad, diffMod, diffRGrad, ruleKernels, type UpdateRule } from '@diffgrad/core'
import {
  createEngine,
  generatedDiffGrad,
  type KernelEngine,
  wasmSupported,
} from '@diffgrad/kernels'
import { Arena, rowBytes } from '../../../packages/arrays/src/arena.ts'
import { touch } from './touch.ts'
import { gradientAt, startAt } from './workloads.ts'

/** How long a kernel alone took in each round, in nanoseconds a parameter. */
export type KernelTimings = Readonly<Record<string, readonly number[]>>

/** A step late enough for every rule to be past its warm-up, and not one that flushes. */
const t = 1001

const names = ['theta', 'g', 'm', 'v', 'previousGradient', 's']

/** Times kernels one after the other, all over the same arrays, round by round. */
export function timeKernels(elements: number, rounds: number): KernelTimings {
  const arena = new Arena('float32', names.length * rowBytes([elements], 'float32'), false)
  const lists = Object.fromEntries(names.map((name) => [name, arena.allocate([elements]) ?? []]))
  for (let i = 0; i < elements; i++) {
    lists.theta[0][i] = startAt(i)
    lists.g[0][i] = gradientAt(i)
  }
  const runner = (rule: UpdateRule, engine: KernelEngine): (() => void) => {
    const form = rule.form?.(rule.defaults, t) ?? {}
    const { update } = ruleKernels(rule, rule.defaults, { form, decay: 'none' })
    const coefficients = rule.coefficients(rule.defaults, t)
    return () => engine.run(update, lists, coefficients, t)
  }
  const wasm = createEngine('wasm')
  const contenders: Record<string, () => void> = {
    touch: runner(touch, wasm),
    Adam: runner(adam, wasm),
    diffGrad: runner(diffGrad, wasm),
    DiffMod: runner(diffMod, wasm),
    DiffRGrad: runner(diffRGrad, wasm),
  }
  if (wasmSupported(true)) {
    const relaxed = createEngine('wasm-relaxed')
    contenders['Adam, relaxed'] = runner(adam, relaxed)
    contenders['diffGrad, relaxed'] = runner(diffGrad, relaxed)
    contenders['DiffMod, relaxed'] = runner(diffMod, relaxed)
    contenders['DiffRGrad, relaxed'] = runner(diffRGrad, relaxed)
  }
  contenders['diffGrad, JavaScript'] = runner(
    diffGrad,
    createEngine('javascript', { generated: generatedDiffGrad }),
  )

  const repeats = Math.max(1, Math.round(4e6 / elements))
  const timings = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
  for (let round = -2; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const start = performance.now()
      for (let k = 0; k < repeats; k++) run()
      const time = (1e6 * (performance.now() - start)) / repeats / elements
      if (round >= 0) timings.get(name)?.push(time) // The first two rounds warm up.
    }
  }
  return Object.fromEntries(timings)
}
