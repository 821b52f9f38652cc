import type { CommonOptions, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import { wasmSupported } from '@diffgrad/kernels'
import type { NumericGradients, Session, Setup, Subject } from '@diffgrad/testing/conformance'
import {
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  type Dtype,
  type EngineOptions,
  type FloatArray,
  type ParameterSet,
} from '../src/index.ts'
import * as optimizers from '../src/optimizers.ts'

/** Starts an optimizer for a rule. */
export type Start = (
  rule: UpdateRule,
  parameters: ParameterSet,
  options: ArraysOptions<CommonOptions>,
) => ArraysOptimizer

type OptimizerClass = new (
  parameters: ParameterSet,
  options: ArraysOptions<CommonOptions>,
) => ArraysOptimizer

/** Returns the class of a shipped rule, which has its name. */
export const classOf = ({ name }: Pick<UpdateRule, 'name'>): OptimizerClass | undefined =>
  new Map<string, OptimizerClass>(Object.entries(optimizers)).get(
    name[0].toUpperCase() + name.slice(1),
  )

/** Starts the class of a shipped rule, or ArraysOptimizer for any other rule. */
export const shipped: Start = (rule, parameters, options) => {
  const Optimizer = classOf(rule)
  return Optimizer
    ? new Optimizer(parameters, options)
    : new ArraysOptimizer(rule, parameters, options)
}

/** The arrays of a session. */
interface Arrays {
  readonly parameters: readonly (readonly [
    name: string,
    parameter: { readonly values: FloatArray; readonly shape: readonly number[] },
  ])[]
  /** Returns a gradient with these elements. */
  gradient(name: string, elements: ArrayLike<number>): FloatArray
}

/** Makes ordinary arrays. */
function ordinaryArrays({ dtype, parameters, refill }: Setup): Arrays {
  const TypedArray = dtype === 'float32' ? Float32Array : Float64Array
  const buffers = new Map<string, FloatArray>()
  return {
    parameters: Object.entries(parameters).map(([name, { values, shape }]) => [
      name,
      { values: TypedArray.from(values), shape },
    ]),
    gradient(name, elements) {
      const buffer = (refill && buffers.get(name)) || new TypedArray(elements.length)
      buffers.set(name, buffer)
      buffer.set(elements)
      return buffer
    },
  }
}

/** Makes arrays by `allocate`. */
const allocatedArrays =
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
      gradient(name, elements) {
        gradients[name].set(elements)
        return gradients[name]
      },
    }
  }

/** Returns typed arrays as a backend under test. */
export const subject = (
  name: string,
  start: Start,
  arraysOf: (setup: Setup) => Arrays = ordinaryArrays,
): Subject => ({
  name,
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, setup: Setup): Session {
    const { parameters, gradient } = arraysOf(setup)
    const optimizer = start(rule, parameters, setup.options as OptimizerOptions<CommonOptions>)
    const all = (gradients: NumericGradients): Record<string, FloatArray> =>
      Object.fromEntries(Object.entries(gradients).map(([key, g]) => [key, gradient(key, g)]))
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

const on =
  (kernel: NonNullable<EngineOptions['kernel']>): Start =>
  (rule, parameters, options) =>
    shipped(rule, parameters, { ...options, kernel })

/** Typed arrays on every engine that runs here. */
export const subjects = (): readonly Subject[] => {
  const plain = [
    subject('generated JavaScript', on('javascript')),
    subject(
      'block interpreter',
      (rule, parameters, options) =>
        new ArraysOptimizer(rule, parameters, { ...options, kernel: 'interpreter' }),
    ),
  ]
  const wasm = [
    subject('WebAssembly, staged', on('wasm')),
    subject('WebAssembly, allocated', on('wasm'), allocatedArrays(false)),
  ]
  return [
    ...plain,
    ...(wasmSupported() ? wasm : []),
    ...(wasmSupported() && typeof SharedArrayBuffer !== 'undefined'
      ? [subject('WebAssembly, shared', on('wasm'), allocatedArrays(true))]
      : []),
    ...(wasmSupported(true)
      ? [subject('WebAssembly, relaxed', on('wasm-relaxed'), allocatedArrays(false))]
      : []),
  ]
}
