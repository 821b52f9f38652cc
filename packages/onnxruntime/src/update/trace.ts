import {
  type ArrayLists,
  arraySignature,
  type Backend,
  type Kernel,
  type SavedArray,
  type SumKernels,
  trace,
  type Values,
} from '@diffgrad/core'
import { createEngine, type KernelEngine } from '@diffgrad/kernels'
import { arrayKey, elementCount, type KernelOperation, type StepOperation } from '@diffgrad/onnx'
import { TrainerError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { newView, partsOf, sizeOf, type TensorView } from './tensor-view.ts'

/** An array of a parameter. A step replaces its view. */
export interface Variable {
  readonly parameter: string
  /** `theta`, `g`, or the name of the optimizer state or of an intermediate. */
  readonly array: string
  view: TensorView
}

/** What an optimizer did to arrays during a call. */
export interface TracedCall {
  readonly operations: readonly StepOperation[]
  /** The coefficients of each operation, and the scalar state that changes by sums. */
  readonly coefficients: readonly Readonly<Record<string, number>>[]
  /** For each operation, where its next scalar state belongs once the graph has run; undefined without any. */
  readonly nextScalars: readonly (Record<string, number> | undefined)[]
  /** The names of temporary arrays. */
  readonly temporary: ReadonlySet<string>
  /** Whether the call depends on all gradients being finite, which it took for granted. */
  readonly assumesFinite: boolean
}

/** The name of a temporary array of intermediates. */
export const temporaryArray = (name: string): string => `temporary/${name}`

/**
 * A backend that computes nothing: it records the operations of an optimizer, for a graph to run. Saved
 * arrays are views, so that a state dict costs no copies and stays on the device.
 */
export class StepTracer implements Backend<Variable, TensorView | SavedArray> {
  /** The optimizer's state, by `arrayKey`. */
  readonly state: Map<string, Variable> = new Map()
  /** The names of the parameters of each group. */
  readonly groups: (readonly string[])[] = []
  readonly #runtime: Runtime
  readonly #isFlat: boolean
  #operations: StepOperation[] = []
  #coefficients: Readonly<Record<string, number>>[] = []
  #nextScalars: (Record<string, number> | undefined)[] = []
  #temporary = new Set<string>()
  #assumesFinite = false
  #isTracing = false
  /** For what is computed outside a step. */
  #engine: KernelEngine | undefined

  /** @param isFlat - whether arrays of a group are parts of one tensor. */
  constructor(runtime: Runtime, isFlat: boolean) {
    this.#runtime = runtime
    this.#isFlat = isFlat
  }

  /** Records what an optimizer does during a call. */
  trace(call: () => void): TracedCall {
    this.#operations = []
    this.#coefficients = []
    this.#nextScalars = []
    this.#temporary = new Set()
    this.#assumesFinite = false
    this.#isTracing = true
    try {
      call()
    } finally {
      this.#isTracing = false
    }
    return {
      operations: this.#operations,
      coefficients: this.#coefficients,
      nextScalars: this.#nextScalars,
      temporary: this.#temporary,
      assumesFinite: this.#assumesFinite,
    }
  }

  mismatch(): undefined {}

  zeros(like: readonly Variable[], names: readonly string[]): ArrayLists<Variable> {
    const parameters = like.map(({ parameter }) => parameter)
    if (this.#isFlat && !this.groups.some((group) => parameters.some((one) => group.includes(one))))
      this.groups.push(parameters)
    const shapes = like.map(({ view }) => view.shape)
    const lists = names.map((array) => {
      const views = this.#zeroViews(shapes)
      const variables = parameters.map(
        (parameter, i): Variable => ({ parameter, array, view: views[i] }),
      )
      for (const variable of variables)
        this.state.set(arrayKey(variable.parameter, array), variable)
      return [array, variables] as const
    })
    return Object.fromEntries(lists)
  }

  scratch(like: readonly Variable[], names: readonly string[]): ArrayLists<Variable> {
    const lists = names.map((name) => {
      const array = temporaryArray(name)
      this.#temporary.add(array)
      return [name, like.map(({ parameter, view }) => ({ parameter, array, view }))] as const
    })
    return Object.fromEntries(lists)
  }

  /** Outside a trace, weights change places with their EMA, or become the evaluation point of a rule. */
  apply(
    kernel: Kernel,
    lists: ArrayLists<Variable>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    if (!this.#isTracing) {
      if (movesOnly(kernel)) move(kernel, lists)
      else this.#compute(kernel, lists, coefficients)
      return
    }
    this.#record(kernelOperation(kernel, lists), coefficients)
  }

  /** The numbers of the returned scalar state are set once the graph has run. */
  applyWithSums(
    sums: readonly SumKernels[],
    kernel: Kernel,
    lists: ArrayLists<Variable>,
    coefficients: Readonly<Record<string, number>>,
    scalars: Values<number>,
    t?: number,
  ): Values<number> {
    const changes = t !== undefined && sums.some(({ state }) => state.length > 0)
    const next = changes ? { ...scalars } : undefined
    const operation = { ...kernelOperation(kernel, lists), sums }
    this.#record(operation, { ...coefficients, ...scalars }, next)
    return next ?? scalars
  }

  /** The norm is known only after the step has run, which is discarded if it is not finite. */
  norm(): number {
    this.#assumesFinite = true
    return 0
  }

  clipByGlobalNorm(gradients: readonly Variable[], limit: number): void {
    const [{ array }] = gradients
    const parameters = gradients.map(({ parameter }) => parameter)
    this.#record({ transform: 'clip', parameters, array }, { limit })
  }

  centralize({ parameter, array }: Variable): void {
    this.#record({ transform: 'centralize', parameters: [parameter], array }, {})
  }

  read({ view }: Variable): TensorView {
    return view
  }

  write(variable: Variable, saved: TensorView | SavedArray): void {
    variable.view =
      'tensor' in saved
        ? saved
        : newView(this.#runtime, Float32Array.from(saved), variable.view.shape)
  }

  signature(saved: TensorView | SavedArray | undefined): string {
    return saved && 'tensor' in saved ? `Float32Array(${sizeOf(saved)})` : arraySignature(saved)
  }

  free(arrays: readonly Variable[]): void {
    for (const { parameter, array } of arrays) this.state.delete(arrayKey(parameter, array))
  }

  /** Runs a kernel over arrays that lie on the CPU. */
  #compute(
    kernel: Kernel,
    lists: ArrayLists<Variable>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    const names = [...new Set([...kernel.reads, ...kernel.writes])]
    const isWritten = (name: string): boolean => kernel.writes.includes(name)
    const copies = names.map((name) => {
      const arrays = lists[name].map(({ view }) => elementsOf(view))
      return [name, isWritten(name) ? arrays.map((array) => array.slice()) : arrays] as const
    })
    const results = Object.fromEntries(copies)
    this.#engine ??= createEngine(['wasm', 'interpreter'])
    this.#engine.run(kernel, results, coefficients)
    for (const name of kernel.writes) {
      for (const [i, variable] of lists[name].entries())
        variable.view = newView(this.#runtime, results[name][i], variable.view.shape)
    }
  }

  #record(
    operation: StepOperation,
    coefficients: Readonly<Record<string, number>>,
    nextScalars?: Record<string, number>,
  ): void {
    if (!this.#isTracing) throw new TrainerError('update "graph": changes arrays only in a step')
    this.#operations.push(operation)
    this.#coefficients.push(coefficients)
    this.#nextScalars.push(nextScalars)
  }

  #zeroViews(shapes: readonly (readonly number[])[]): readonly TensorView[] {
    const sizes = shapes.map(elementCount)
    if (!this.#isFlat)
      return shapes.map((shape, i) => newView(this.#runtime, new Float32Array(sizes[i]), shape))
    const total = sizes.reduce((a, b) => a + b, 0)
    return partsOf(newView(this.#runtime, new Float32Array(total), [total]).tensor, shapes)
  }
}

function kernelOperation(kernel: Kernel, lists: ArrayLists<Variable>): KernelOperation {
  const names = [...new Set([...kernel.reads, ...kernel.writes])]
  const [first] = names
  const arrays = names.map((name) => [name, lists[name]?.[0]?.array ?? name])
  return {
    kernel,
    parameters: lists[first].map(({ parameter }) => parameter),
    arrays: Object.fromEntries(arrays),
  }
}

/** Whether a kernel computes nothing: each array that it writes becomes another one. */
const movesOnly = (kernel: Kernel): boolean =>
  trace(kernel).outputs.every(([, { op }]) => op === 'array')

/** Runs a kernel that computes nothing. */
function move(kernel: Kernel, lists: ArrayLists<Variable>): void {
  for (const i of lists[kernel.reads[0]].keys()) {
    const moved = trace(kernel).outputs.flatMap(([name, node]) =>
      node.op === 'array' ? [[name, lists[node.name][i].view] as const] : [],
    )
    for (const [name, view] of moved) lists[name][i].view = view
  }
}

/** The elements of a view of a tensor on the CPU. */
const elementsOf = (view: TensorView): Float32Array =>
  (view.tensor.data as Float32Array).subarray(view.offset, view.offset + sizeOf(view)) // Throws on a device.
