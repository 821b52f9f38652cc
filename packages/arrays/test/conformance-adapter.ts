import {
  classNameOf,
  type Hyperparameters,
  type OptimizerOptions,
  type UpdateRule,
} from '@diffgrad/core'
import { wasmSupported } from '@diffgrad/kernels'
import type {
  BackendUnderTest,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
} from '@diffgrad/testing/conformance'
import * as optimizers from '../src/generated/optimizers.ts'
import {
  ArraysOptimizer,
  type ArraysOptions,
  allocate,
  type Dtype,
  type EngineOptions,
  type FloatArray,
  type ParameterSet,
} from '../src/index.ts'

/** Creates an optimizer for a rule. */
export type OptimizerFactory = (
  rule: UpdateRule,
  parameters: ParameterSet,
  options: ArraysOptions<Hyperparameters>,
) => ArraysOptimizer

type OptimizerClass = new (
  parameters: ParameterSet,
  options: ArraysOptions<Hyperparameters>,
) => ArraysOptimizer

/** Returns the class of a shipped rule. */
export const classOf = (rule: UpdateRule): OptimizerClass | undefined =>
  new Map<string, OptimizerClass>(Object.entries(optimizers)).get(classNameOf(rule))

/** Creates the class of a shipped rule, or ArraysOptimizer for any other rule. */
export const shipped: OptimizerFactory = (rule, parameters, options) => {
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
function ordinaryArrays({ dtype, parameters, reuseBuffer }: OptimizerSpec): Arrays {
  const TypedArray = dtype === 'float32' ? Float32Array : Float64Array
  const buffers = new Map<string, FloatArray>()
  return {
    parameters: Object.entries(parameters).map(([name, { values, shape }]) => [
      name,
      { values: TypedArray.from(values), shape },
    ]),
    gradient(name, elements) {
      const buffer = (reuseBuffer && buffers.get(name)) || new TypedArray(elements.length)
      buffers.set(name, buffer)
      buffer.set(elements)
      return buffer
    },
  }
}

/** Makes arrays by `allocate`. */
const allocatedArrays =
  (shared: boolean) =>
  ({ dtype, parameters: starts }: OptimizerSpec): Arrays => {
    const shapes = Object.fromEntries(
      Object.entries(starts).map(([name, { shape }]) => [name, shape]),
    )
    const { parameters, gradients } = allocate<Record<string, readonly number[]>, Dtype, boolean>(
      shapes,
      {
        dtype,
        shared,
      },
    )
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
export const backend = (
  name: string,
  start: OptimizerFactory,
  arraysOf: (setup: OptimizerSpec) => Arrays = ordinaryArrays,
): BackendUnderTest => ({
  name,
  dtypes: ['float64', 'float32'],
  create(rule: UpdateRule, setup: OptimizerSpec): TestRun {
    const { parameters, gradient } = arraysOf(setup)
    const optimizer = start(rule, parameters, setup.options as OptimizerOptions<Hyperparameters>)
    const all = (gradients: NamedNumbers): Record<string, FloatArray> =>
      Object.fromEntries(Object.entries(gradients).map(([key, g]) => [key, gradient(key, g)]))
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

const on =
  (kernel: NonNullable<EngineOptions['kernel']>): OptimizerFactory =>
  (rule, parameters, options) =>
    shipped(rule, parameters, { ...options, kernel })

/** Typed arrays on every engine that runs here. */
export const backends = (): readonly BackendUnderTest[] => {
  const plain = [
    backend('generated JavaScript', on('javascript')),
    backend(
      'block interpreter',
      (rule, parameters, options) =>
        new ArraysOptimizer(rule, parameters, { ...options, kernel: 'interpreter' }),
    ),
  ]
  const wasm = [
    backend('WebAssembly, staged', on('wasm')),
    backend('WebAssembly, allocated', on('wasm'), allocatedArrays(false)),
  ]
  return [
    ...plain,
    ...(wasmSupported() ? wasm : []),
    ...(wasmSupported() && typeof SharedArrayBuffer !== 'undefined'
      ? [backend('WebAssembly, shared', on('wasm'), allocatedArrays(true))]
      : []),
    ...(wasmSupported(true)
      ? [backend('WebAssembly, relaxed', on('wasm-relaxed'), allocatedArrays(false))]
      : []),
  ]
}
