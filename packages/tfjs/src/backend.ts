import {
  type ApplyWithSums,
  type ArrayLists,
  type Backend,
  type Kernel,
  type SavedArray,
  trace,
} from '@diffgrad/core'
import {
  abs,
  add,
  backend,
  div,
  divNoNan,
  isFinite as isFiniteTensor,
  lessEqual,
  max,
  mean,
  mul,
  onesLike,
  type Scalar,
  sqrt,
  square,
  stack,
  sub,
  sum,
  Tensor,
  tensor,
  tidy,
  util,
  type Variable,
  variable,
  where,
  zeros,
} from '@tensorflow/tfjs-core'
import { DeviceScalars } from './engines/device-scalars.ts'
import { type KernelOperands, moveToBackend, variableOf } from './engines/engine.ts'
import type { SelectEngine } from './engines/select-engine.ts'
import { scalarTensors, tensorArithmetic, tensorOpsEngine } from './engines/tensors.ts'
import { isWebgpu } from './engines/webgpu.ts'

/**
 * The tensors of TensorFlow.js on the current backend. Every tensor that is written to is a `Variable`:
 * one of the user's, or optimizer state. `read` returns a tensor, which the caller disposes of.
 */
export class TensorBackend implements Backend<Tensor, Tensor> {
  readonly mismatch: Backend<Tensor, Tensor>['mismatch'] = mismatch
  readonly signature: Backend<Tensor, Tensor>['signature'] = signature
  readonly #selectEngine: SelectEngine
  readonly #state = new Set<Tensor>()
  readonly #scratch = new Set<Variable>()
  readonly #shared = new WeakSet<Tensor>()
  readonly #scalars = new DeviceScalars()

  constructor(selectEngine: SelectEngine) {
    this.#selectEngine = selectEngine
  }

  zeros(like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> {
    return Object.fromEntries(names.map((name) => [name, like.map((array) => this.#zeros(array))]))
  }

  scratch(like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> {
    const lists = names.map((name) => {
      const arrays = like.map((array) => this.#zeros(array))
      for (const array of arrays) this.#scratch.add(array)
      return [name, arrays]
    })
    return Object.fromEntries(lists)
  }

  free(arrays: readonly Tensor[], parameters: readonly Tensor[] = []): void {
    this.#scalars.free(parameters)
    for (const array of arrays) {
      this.#state.delete(array)
      array.dispose()
    }
  }

  apply(
    kernel: Kernel,
    lists: ArrayLists<Tensor>,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    this.#run({ kernel, graph: trace(kernel), lists, coefficients }, t)
  }

  #run(operands: KernelOperands, t: number): void {
    const { graph, lists } = operands
    const current = backend()
    // Before reference counts are read: only the backend that holds the data knows them.
    for (const name of graph.arrays) moveToBackend(current, lists[name])
    const ensureOwned = (array: Tensor): boolean => this.#ensureOwned(array)
    this.#selectEngine(current, graph).run({ ...operands, t, ensureOwned })
  }

  /** On WebGPU alone, which cannot read sums at once: there, they stay on the device, in single precision. */
  get applyWithSums(): ApplyWithSums<Tensor> | undefined {
    return isWebgpu(backend()) ? this.#applyWithSums : undefined
  }

  readonly #applyWithSums: ApplyWithSums<Tensor> = (
    ...[sums, kernel, lists, coefficients, scalars, t]
  ) => {
    const parameters = lists.theta
    let next = scalars
    tidy(() => {
      const numbers = scalarTensors({ ...coefficients, ...scalars })
      const dependents = parameters.map((parameter) => this.#scalars.of(parameter, scalars))
      for (const { elements, scalars: dependentsOf } of sums) {
        const outputs = this.zeros(parameters, elements.writes)
        const all = { ...lists, ...outputs }
        this.#run(
          { kernel: elements, graph: trace(elements), lists: all, coefficients, dependents },
          0,
        )
        for (const [k, known] of dependents.entries()) {
          const totals = elements.writes.map((name) => [name, sum(outputs[name][k])])
          const values = { ...numbers, ...known }
          const found = dependentsOf.evaluate(tensorArithmetic, Object.fromEntries(totals), values)
          dependents[k] = { ...known, ...found }
        }
        this.free(Object.values(outputs).flat())
      }
      this.#run({ kernel, graph: trace(kernel), lists, coefficients, dependents }, t ?? 0)
      const state = sums.flatMap((one) => one.state)
      if (t !== undefined && state.length > 0) {
        const changed = state.map((name) => [name, dependents[0][name]])
        next = this.#scalars.replace(parameters[0], Object.fromEntries(changed))
      }
    })
    return next
  }

  /** Sets the numbers of scalar state that is on the device. */
  readScalars(): Promise<void> | undefined {
    return this.#scalars.isUnread ? this.#scalars.read() : undefined
  }

  /** Blocks until the device has the numbers. */
  sums(
    kernel: Kernel,
    lists: ArrayLists<Tensor>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>> {
    if (this.#scalars.isUnread) {
      throw new Error(
        `${kernel.name}: its scalar state is still on WebGPU; await stateDict() before another backend takes a step`,
      )
    }
    const current = backend()
    const graph = trace(kernel)
    for (const name of graph.reads) moveToBackend(current, lists[name])
    const operands = { kernel, graph, lists, coefficients }
    const engine = this.#selectEngine(current, graph)
    return engine.sums?.(operands) ?? tensorOpsEngine.sums(operands)
  }

  /** Called only for `skipNotFinite`, which needs the number before the step. */
  norm(array: Tensor): number {
    if (isWebgpu(backend())) {
      throw new Error(
        'skipNotFinite reads a number from the device at every step, which WebGPU cannot do at once',
      )
    }
    return tidy(() => norm([array]).dataSync()[0])
  }

  clipByGlobalNorm(arrays: readonly Tensor[], limit: number): void {
    if (arrays.length === 0) return
    tidy(() => {
      const factor = clipFactor(arrays, limit)
      for (const array of arrays) variableOf(array).assign(mul(array, factor))
    })
  }

  centralize(array: Tensor, [, ...others]: readonly number[]): void {
    const axes = others.map((_, i) => i + 1)
    tidy(() => variableOf(array).assign(sub(array, mean(array, axes, true))))
  }

  /** Returns a clone: a tensor that shares the data until either of both is written to. */
  read(array: Tensor): Tensor {
    return array.clone()
  }

  /** Copies: on the cpu backend, the data of a saved tensor may be a typed array of the user's. */
  write(array: Tensor, saved: Tensor): void {
    copyInto(variableOf(array), saved)
  }

  /** A copy. Blocks until the device has the numbers, which WebGPU cannot. */
  toHost(array: Tensor): Float32Array {
    if (isWebgpu(backend())) {
      throw new Error(
        'several ranks exchange numbers within a step, which WebGPU cannot read at once',
      )
    }
    return Float32Array.from(array.dataSync())
  }

  fromHost(array: Tensor, elements: SavedArray): void {
    tidy(() => copyInto(variableOf(array), tensor(elements, array.shape, 'float32')))
  }

  /** Marks an array as shared: the caller may still be reading it, so the next write makes a copy first. */
  share(array: Tensor): Tensor {
    this.#shared.add(array)
    return array
  }

  /** Disposes of the arrays of `scratch`. */
  disposeScratch(): void {
    this.free([...this.#scratch])
    this.#scratch.clear()
  }

  /** Disposes of all optimizer state. */
  dispose(): void {
    for (const array of this.#state) array.dispose()
    this.#state.clear()
    this.#scratch.clear()
    this.#scalars.dispose()
  }

  #zeros({ shape }: Tensor): Variable {
    const array = tidy(() => variable(zeros(shape), false))
    this.#state.add(array)
    return array
  }

  /** Whether an array is optimizer state. If its data is shared with another tensor, copies it first. */
  #ensureOwned(array: Tensor): boolean {
    if (!this.#state.has(array)) return false
    if (this.#shared.delete(array) || backend().refCount(array.dataId) > 1) {
      copyInto(variableOf(array), array)
    }
    return true
  }
}

/** Copies by a multiplication by 1, which keeps every number, −0 and NaN included. */
function copyInto(array: Variable, from: Tensor): void {
  tidy(() => array.assign(mul(from, 1)))
}

/** A tensor as error messages show it: `a float32 tensor of shape [3,2]`. */
const signature = (tensor: Tensor | undefined): string =>
  tensor ? `a ${tensor.dtype} tensor of shape [${tensor.shape}]` : 'nothing'

/**
 * The reason why a gradient does not fit its variable, as an error message continues after "the gradient
 * of w"; undefined if it fits.
 */
function mismatch(parameter: Tensor, gradient: unknown): string | undefined {
  if (parameter.isDisposed) return 'has lost its variable, which was disposed of'
  if (!(gradient instanceof Tensor)) return `must be a tensor, but is ${String(gradient)}`
  if (gradient.isDisposed) return 'was disposed of'
  const fits =
    gradient.dtype === parameter.dtype && util.arraysEqual(gradient.shape, parameter.shape)
  return fits ? undefined : `must be ${signature(parameter)}, but is ${signature(gradient)}`
}

const listsOf = (like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> =>
  Object.fromEntries(names.map((name) => [name, like]))

/** A backend that allocates and writes nothing. A call that it refuses, any other backend would refuse. */
export const dryRunBackend: Backend<Tensor, Tensor> = {
  mismatch,
  signature,
  zeros: listsOf,
  scratch: listsOf,
  apply() {},
  sums: () => ({}),
  norm: () => 0,
  centralize() {},
  read: (array) => array,
  write() {},
}

/**
 * The Euclidean norm of all elements of some arrays; not finite if and only if an element is not.
 * Elements are divided by the largest before they are squared, because the sum of squares overflows
 * long before the norm does.
 */
function norm(arrays: readonly Tensor[]): Scalar {
  const largest = max(stack(arrays.map((array) => max(abs(array)))))
  const sums = arrays.map((array) => sum(square(divNoNan(array, largest))))
  return mul(largest, sqrt(sums.reduce((total, one) => add(total, one))))
}

/** The factor that scales arrays to a norm of at most `limit`; NaN if their norm is not finite. */
function clipFactor(arrays: readonly Tensor[], limit: number): Scalar {
  const length = norm(arrays)
  // Explicitly NaN, because some devices do not compute NaN from infinities.
  const factor: Scalar = where(isFiniteTensor(length), div(limit, length), Number.NaN)
  return where(lessEqual(length, limit), onesLike(length), factor)
}
