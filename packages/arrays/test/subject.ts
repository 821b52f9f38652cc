import type { Hyperparameters, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import type {
  BackendUnderTest,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
} from '@diffgrad/testing/conformance'
import {
  AdaMod,
  Adam,
  AdamW,
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  type Dtype,
  type Floats,
  type ParameterSet,
  RAdam,
  Ranger,
  SGD,
} from '../src/index.ts'

/** Starts an optimizer for a rule. */
export type Start = (
  rule: UpdateRule,
  parameters: ParameterSet,
  options: ArraysOptions<Hyperparameters>,
) => ArraysOptimizer

const classes: Readonly<
  Record<
    string,
    new (
      parameters: ParameterSet,
      options: ArraysOptions<Hyperparameters>,
    ) => ArraysOptimizer
  >
> = { SGD, Adam, AdamW, RAdam, AdaMod, Ranger, diffGrad: DiffGrad, DiffRGrad, DiffMod }

/** The class that ships for a rule, or the general one for any other rule. */
export const shipped: Start = (rule, parameters, options) => {
  const Shipped = classes[rule.name]
  return Shipped ? new Shipped(parameters, options) : new ArraysOptimizer(rule, parameters, options)
}

/** Where the arrays of a session come from, and its gradients go. */
interface Arrays {
  readonly parameters: readonly (readonly [
    name: string,
    parameter: { readonly values: Floats; readonly shape: readonly number[] },
  ])[]
  filled(name: string, elements: ArrayLike<number>): Floats
}

/** Arrays as a user has them. */
function ownArrays({ dtype, parameters, reuseBuffer }: OptimizerSpec): Arrays {
  const Kind = dtype === 'float32' ? Float32Array : Float64Array
  const buffers = new Map<string, Floats>()
  return {
    parameters: Object.entries(parameters).map(([name, { values, shape }]) => [
      name,
      { values: Kind.from(values), shape },
    ]),
    filled(name, elements) {
      const buffer = (reuseBuffer && buffers.get(name)) || new Kind(elements.length)
      buffers.set(name, buffer)
      buffer.set(elements)
      return buffer
    },
  }
}

/** Arrays as `allocate` hands them out. */
export const allocatedArrays =
  (shared: boolean) =>
  ({ dtype, parameters: starts }: OptimizerSpec): Arrays => {
    const shapes = Object.fromEntries(
      Object.entries(starts).map(([name, { shape }]) => [name, shape]),
    )
    const { parameters, gradients } = allocate<Record<string, readonly number[]>, Dtype>(shapes, {
      dtype,
      shared,
    })
    return {
      parameters: Object.entries(starts).map(([name, { values, shape }]) => {
        parameters[name].set(values)
        return [name, { values: parameters[name], shape }]
      }),
      filled(name, elements) {
        gradients[name].set(elements)
        return gradients[name]
      },
    }
  }

/** Typed arrays as a backend under test. */
export const subject = (
  name: string,
  start: Start,
  arraysOf: (setup: OptimizerSpec) => Arrays = ownArrays,
): BackendUnderTest => ({
  name,
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, setup: OptimizerSpec): TestRun {
    const { parameters, filled } = arraysOf(setup)
    const optimizer = start(rule, parameters, setup.options as OptimizerOptions<Hyperparameters>)
    const all = (gradients: NamedNumbers): Record<string, Floats> =>
      Object.fromEntries(Object.entries(gradients).map(([key, g]) => [key, filled(key, g)]))
    return {
      optimizer,
      step: (gradients) => optimizer.step(all(gradients)),
      inspect: (gradients) => optimizer.inspect(all(gradients)),
      setParameters(values) {
        for (const [key, parameter] of parameters) {
          if (values[key]) parameter.values.set(values[key])
        }
      },
      parameters: () =>
        Object.fromEntries(parameters.map(([key, { values }]) => [key, Array.from(values)])),
    }
  },
})
