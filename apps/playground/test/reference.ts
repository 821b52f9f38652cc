import {
  Adam,
  DiffGrad,
  DiffGradNorm,
  DiffRGrad,
  Lion,
  ScheduleFreeAdamW,
  ScheduleFreeSGD,
  SGD,
} from '@diffgrad/arrays'
import type { Landscape } from '@diffgrad/testing/landscapes'
import type { OptimizerConfig } from '../src/optimizers/config.ts'

interface Stepper {
  readonly rule: { readonly evaluationPoint?: unknown }
  step(gradients: { readonly theta: Float64Array }): unknown
  swapAverage(): void
}

/** The library's own classes, without the playground's registry. */
const classes: Readonly<Record<string, (theta: Float64Array, options: object) => Stepper>> = {
  adam: (theta, options) => new Adam({ theta }, options),
  diffgrad: (theta, options) => new DiffGrad({ theta }, options),
  diffgradnorm: (theta, options) => new DiffGradNorm({ theta }, options),
  diffrgrad: (theta, options) => new DiffRGrad({ theta }, options),
  lion: (theta, options) => new Lion({ theta }, options),
  schedulefreeadamw: (theta, options) => new ScheduleFreeAdamW({ theta }, options),
  schedulefreesgd: (theta, options) => new ScheduleFreeSGD({ theta }, options),
  sgd: (theta, options) => new SGD({ theta }, options),
}

/** Computes the point where the loss is evaluated, after so many steps of the library's own optimizer. */
export function referencePoint(
  { name, options, lossScale }: OptimizerConfig,
  landscape: Landscape,
  start: readonly number[],
  steps: number,
): readonly number[] {
  const theta = Float64Array.from(start)
  const optimizer = classes[name](theta, options)
  for (let t = 1; t <= steps; t++) {
    const noise = landscape.noise?.(t)
    const gradient = landscape.gradient([...theta])
    optimizer.step({
      theta: Float64Array.from(gradient, (g, i) => lossScale * (g + (noise?.[i] ?? 0))),
    })
  }
  if (optimizer.rule.evaluationPoint) optimizer.swapAverage()
  return [...theta]
}
