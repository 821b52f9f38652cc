import { adam, diffGrad, diffMod, diffRGrad, stepKernels, type UpdateRule } from '@diffgrad/core'
import type { Engine } from '../../../packages/arrays/src/engine.ts'
import { diffGradLoops } from '../../../packages/arrays/src/generated/diffgrad.ts'
import { Loops } from '../../../packages/arrays/src/loops.ts'
import { Arena, rowBytes } from '../../../packages/arrays/src/wasm/arena.ts'
import { compiles } from '../../../packages/arrays/src/wasm/compile.ts'
import { WasmEngine } from '../../../packages/arrays/src/wasm/engine.ts'
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
  const lists = Object.fromEntries(names.map((name) => [name, arena.row([elements]) ?? []]))
  for (let i = 0; i < elements; i++) {
    lists.theta[0][i] = startAt(i)
    lists.g[0][i] = gradientAt(i)
  }
  const runner = (rule: UpdateRule, engine: Engine): (() => void) => {
    const { update, coefficients } = stepKernels(rule, rule.defaults, t)
    return () => engine.run(update, lists, coefficients, t)
  }
  const wasm = new WasmEngine(false, 1)
  const contenders: Record<string, () => void> = {
    touch: runner(touch, wasm),
    Adam: runner(adam, wasm),
    diffGrad: runner(diffGrad, wasm),
    DiffMod: runner(diffMod, wasm),
    DiffRGrad: runner(diffRGrad, wasm),
  }
  if (compiles(true)) {
    const relaxed = new WasmEngine(true, 1)
    contenders['Adam, relaxed'] = runner(adam, relaxed)
    contenders['diffGrad, relaxed'] = runner(diffGrad, relaxed)
    contenders['DiffMod, relaxed'] = runner(diffMod, relaxed)
    contenders['DiffRGrad, relaxed'] = runner(diffRGrad, relaxed)
  }
  contenders['diffGrad, JavaScript'] = runner(diffGrad, new Loops('javascript', diffGradLoops))

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
