import {
  allRules,
  classNameOf,
  type Hyperparameters,
  type OptimizerOptions,
  type UpdateRule,
} from '@diffgrad/core'
import type { NumericGradients, Session, Setup, Subject } from '@diffgrad/testing/conformance'
import * as arrays from '../src/index.ts'
import {
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  type Dtype,
  type Floats,
  type ParameterSet,
} from '../src/index.ts'

/** Starts an optimizer for a rule. */
export type Start = (
  rule: UpdateRule,
  parameters: ParameterSet,
  options: ArraysOptions<Hyperparameters>,
) => ArraysOptimizer

type OptimizerClass = new (
  parameters: ParameterSet,
  options: ArraysOptions<Hyperparameters>,
) => ArraysOptimizer

/** The class of each rule, by the name of the rule. */
const classes: ReadonlyMap<string, OptimizerClass> = new Map(
  allRules.map((rule) => {
    const name = classNameOf(rule)
    const found = Object.entries(arrays).find(([exported]) => exported === name)
    if (!found) throw new TypeError(`no class ${name}`)
    return [rule.name, found[1] as OptimizerClass] // Exported under the name of a rule's class.
  }),
)

/** The class that ships for a rule, or the general one for any other rule. */
export const shipped: Start = (rule, parameters, options) => {
  const Shipped = classes.get(rule.name)
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
function ownArrays({ dtype, parameters, refill }: Setup): Arrays {
  const Kind = dtype === 'float32' ? Float32Array : Float64Array
  const buffers = new Map<string, Floats>()
  return {
    parameters: Object.entries(parameters).map(([name, { values, shape }]) => [
      name,
      { values: Kind.from(values), shape },
    ]),
    filled(name, elements) {
      const buffer = (refill && buffers.get(name)) || new Kind(elements.length)
      buffers.set(name, buffer)
      buffer.set(elements)
      return buffer
    },
  }
}

/** Arrays as `allocate` hands them out. */
export const allocatedArrays =
  (shared: boolean) =>
  ({ dtype, parameters: starts }: Setup): Arrays => {
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
  arraysOf: (setup: Setup) => Arrays = ownArrays,
): Subject => ({
  name,
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, setup: Setup): Session {
    const { parameters, filled } = arraysOf(setup)
    const optimizer = start(rule, parameters, setup.options as OptimizerOptions<Hyperparameters>)
    const all = (gradients: NumericGradients): Record<string, Floats> =>
      Object.fromEntries(Object.entries(gradients).map(([key, g]) => [key, filled(key, g)]))
    return {
      optimizer,
      step: (gradients) => optimizer.step(all(gradients)),
      inspect: (gradients) => optimizer.inspect(all(gradients)),
      place(values) {
        for (const [key, parameter] of parameters) {
          if (values[key]) parameter.values.set(values[key])
        }
      },
      parameters: () =>
        Object.fromEntries(parameters.map(([key, { values }]) => [key, Array.from(values)])),
    }
  },
})
