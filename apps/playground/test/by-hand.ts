import { Adam, type ArraysOptimizer, DiffGrad, DiffRGrad } from '@diffgrad/arrays'
import type { Landscape } from '@diffgrad/landscapes'
import type { Racer } from '../src/optimizers/racer.ts'

/** The library's own classes, without anything of the page in between. */
const classes: Readonly<Record<string, (theta: Float64Array, options: object) => ArraysOptimizer>> =
  {
    adam: (theta, options) => new Adam({ theta }, options) as unknown as ArraysOptimizer,
    diffgrad: (theta, options) => new DiffGrad({ theta }, options) as unknown as ArraysOptimizer,
    diffrgrad: (theta, options) => new DiffRGrad({ theta }, options) as unknown as ArraysOptimizer,
  }

/** Where the library takes a racer in so many steps. */
export function byHand(
  { name, options, lossScale }: Racer,
  landscape: Landscape,
  start: readonly number[],
  steps: number,
): Float64Array {
  const theta = Float64Array.from(start)
  const optimizer = classes[name](theta, options)
  for (let t = 1; t <= steps; t++) {
    const noise = landscape.noise?.(t)
    const slope = landscape.gradient([...theta])
    optimizer.step({
      theta: Float64Array.from(slope, (g, i) => lossScale * (g + (noise?.[i] ?? 0))),
    })
  }
  return theta
}
