import { DiffGrad, type KernelTier } from '../src/index.ts'
import { compiles } from '../src/wasm/compile.ts'

/** How far a tier's parameters in float32 are from those in float64. */
export interface Drift {
  readonly tier: KernelTier
  readonly 'root mean square': number
  readonly worst: number
}

const size = 4096
const steps = 1000

/** A gradient that changes from step to step, and drives parameters a long way. */
const gradientAt = (t: number, i: number): number =>
  Math.sin(0.013 * t * (1 + (i % 17)) + i) * 10 ** ((i % 9) - 6) + 0.1 * Math.cos(i)

/** Trains with a tier for 1000 steps. */
function trained<A extends Float32Array | Float64Array>(theta: A, kernel: KernelTier): A {
  const optimizer = new DiffGrad({ theta }, { kernel })
  const g = theta.slice()
  for (let t = 1; t <= steps; t++) {
    for (let i = 0; i < size; i++) g[i] = Math.fround(gradientAt(t, i))
    optimizer.step({ theta: g })
  }
  return theta
}

/** Where each tier is after 1000 steps, measured by the same steps in float64. */
export function drifts(): readonly Drift[] {
  const exact = trained(new Float64Array(size), 'javascript')
  const tiers: readonly KernelTier[] = ['javascript', 'wasm', 'wasm-relaxed']
  return tiers
    .filter((tier) => tier !== 'wasm-relaxed' || compiles(true))
    .map((tier) => {
      const errors = Array.from(trained(new Float32Array(size), tier), (x, i) => x - exact[i])
      return {
        tier,
        'root mean square': Math.hypot(...errors) / Math.sqrt(size),
        worst: Math.max(...errors.map(Math.abs)),
      }
    })
}
