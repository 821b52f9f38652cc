import { wasmSupported } from '@diffgrad/kernels'
import { DiffGrad, type KernelTier } from '../src/index.ts'

// Prints how far float32 parameters are from float64 ones after training: `pnpm accuracy`.

const size = 4096
const steps = 1000

/** A gradient of many magnitudes that changes from step to step. */
const gradientAt = (t: number, i: number): number =>
  Math.sin(0.013 * t * (1 + (i % 17)) + i) * 10 ** ((i % 9) - 6) + 0.1 * Math.cos(i)

/** Trains parameters for 1000 steps on a tier. */
function trained<A extends Float32Array | Float64Array>(theta: A, kernel: KernelTier): A {
  const optimizer = new DiffGrad({ theta }, { kernel })
  const g = theta.slice()
  for (let t = 1; t <= steps; t++) {
    for (let i = 0; i < size; i++) g[i] = Math.fround(gradientAt(t, i))
    optimizer.step({ theta: g })
  }
  return theta
}

const exact = trained(new Float64Array(size), 'javascript')
const tiers: readonly KernelTier[] = ['javascript', 'wasm', 'wasm-relaxed']
const drifts = tiers
  .filter((tier) => tier !== 'wasm-relaxed' || wasmSupported(true))
  .map((tier) => {
    const errors = Array.from(trained(new Float32Array(size), tier), (x, i) => x - exact[i])
    return {
      tier,
      'root mean square': Math.hypot(...errors) / Math.sqrt(size),
      worst: Math.max(...errors.map(Math.abs)),
    }
  })

console.log(`\n${steps} steps of diffGrad, ${size} parameters: distance from float64`)
console.table(drifts)
