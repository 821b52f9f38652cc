import { Adam, DiffGrad, DiffRGrad } from '@diffgrad/arrays'
import type { Landscape } from '@diffgrad/testing/landscapes'
import type { Racer } from '../src/optimizers/racer.ts'

/** Takes a step against a gradient. */
interface Stepper {
  step(gradients: { readonly theta: Float64Array }): unknown
}

/** The library's own classes, without anything of the page in between. */
const classes: Readonly<Record<string, (theta: Float64Array, options: object) => Stepper>> = {
  adam: (theta, options) => new Adam({ theta }, options),
  diffgrad: (theta, options) => new DiffGrad({ theta }, options),
  diffrgrad: (theta, options) => new DiffRGrad({ theta }, options),
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
