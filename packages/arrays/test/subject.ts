import type { NumericGradients, Session, Setup, Subject } from '@diffgrad/conformance'
import type { CommonOptions, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import {
  AdaMod,
  Adam,
  AdamW,
  ArraysOptimizer,
  type ArraysOptions,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  type Floats,
  type Parameters,
  RAdam,
  Ranger,
  SGD,
} from '../src/index.ts'

/** Starts an optimizer for a rule. */
export type Start = (
  rule: UpdateRule,
  parameters: Parameters,
  options: ArraysOptions<CommonOptions>,
) => ArraysOptimizer

const classes: Readonly<
  Record<
    string,
    new (
      parameters: Parameters,
      options: ArraysOptions<CommonOptions>,
    ) => ArraysOptimizer
  >
> = { SGD, Adam, AdamW, RAdam, AdaMod, Ranger, diffGrad: DiffGrad, DiffRGrad, DiffMod }

/** The class that ships for a rule, or the general one for any other rule. */
export const shipped: Start = (rule, parameters, options) => {
  const Shipped = classes[rule.name]
  return Shipped ? new Shipped(parameters, options) : new ArraysOptimizer(rule, parameters, options)
}

/** Typed arrays as a backend under test. */
export const subject = (name: string, start: Start): Subject => ({
  name,
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, setup: Setup): Session {
    const Kind = setup.dtype === 'float32' ? Float32Array : Float64Array
    const arrays = Object.entries(setup.parameters).map(
      ([key, { values, shape }]) => [key, { values: Kind.from(values), shape }] as const,
    )
    const optimizer = start(rule, arrays, setup.options as OptimizerOptions<CommonOptions>)
    const buffers = new Map<string, Floats>()
    const filled = (key: string, elements: ArrayLike<number>): Floats => {
      const buffer = (setup.refill && buffers.get(key)) || new Kind(elements.length)
      buffers.set(key, buffer)
      buffer.set(elements)
      return buffer
    }
    const all = (gradients: NumericGradients): Record<string, Floats> =>
      Object.fromEntries(Object.entries(gradients).map(([key, g]) => [key, filled(key, g)]))
    return {
      optimizer,
      step: (gradients) => optimizer.step(all(gradients)),
      inspect: (gradients) => optimizer.inspect(all(gradients)),
      parameters: () =>
        Object.fromEntries(arrays.map(([key, { values }]) => [key, Array.from(values)])),
    }
  },
})
