import { arrayKey, elementCount, Graph, type Model, reshape, slice, toModel } from '@diffgrad/onnx'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import {
  createSession,
  type Runtime,
  runSession,
  type SessionOptions,
  type Tensors,
} from '../runtime.ts'
import {
  newView,
  partsOf,
  sizeOf,
  TensorReader,
  type TensorView,
  wholeTensor,
} from './tensor-view.ts'
import type { StepTracer, Variable } from './trace.ts'

/** The name by which running statistics are told from arrays of the optimizer. */
export const statisticArray = 'statistic'

/** Which variables the outputs of a train step are. */
interface StepOutputs {
  /** The output with the next value of each input. */
  readonly next: ReadonlyMap<string, string>
  /** The keys of the variables that are the parts of each input, by `arrayKey`. */
  readonly parts: ReadonlyMap<string, readonly string[]>
}

/**
 * The tensors of weights and optimizer state, on the CPU or on a device. Variables are views of them: those
 * of a group are parts of one vector on a device. Tensors never change; a step replaces them.
 */
export class StateTensors {
  /** Parameters and running statistics. */
  readonly trained: readonly Variable[]
  readonly #runtime: Runtime
  readonly #session: SessionOptions
  readonly #parameters: readonly Variable[]
  readonly #statistics: readonly Variable[]
  readonly #tracer: StepTracer
  readonly #reader: TensorReader
  /** Tensors that steps have left on the device. */
  readonly #onDevice = new Set<Tensor>()
  /** The session that cuts vectors into parameters, and its results for the current weights. */
  #splitter: InferenceSession | undefined
  #split: { readonly from: readonly TensorView[]; readonly weights: Tensors } | undefined

  constructor(
    { runtime, session }: { readonly runtime: Runtime; readonly session: SessionOptions },
    trained: {
      readonly parameters: readonly Variable[]
      readonly statistics: readonly Variable[]
    },
    tracer: StepTracer,
  ) {
    this.#runtime = runtime
    this.#session = session
    this.#parameters = trained.parameters
    this.#statistics = trained.statistics
    this.trained = [...trained.parameters, ...trained.statistics]
    this.#tracer = tracer
    this.#reader = new TensorReader(runtime, session)
  }

  /** Whether there is a variable with a key. */
  has(key: string): boolean {
    return this.#byKey().has(key)
  }

  /** The tensors of inputs, each of one variable or of a group as one vector. */
  async tensors(
    parts: Iterable<readonly [input: string, keys: readonly string[]]>,
  ): Promise<Tensors> {
    const variables = this.#byKey()
    const tensors: [input: string, Tensor][] = []
    for (const [input, keys] of parts) {
      const found = keys.flatMap((key) => variables.get(key) ?? [])
      tensors.push([input, await this.#tensorOf(found)])
    }
    return Object.fromEntries(tensors)
  }

  /** Takes the results of a step as the new state. */
  keep({ next, parts }: StepOutputs, results: Tensors): void {
    const variables = this.#byKey()
    for (const [input, output] of next) {
      const tensor = results[output]
      if (isOnDevice(tensor)) this.#onDevice.add(tensor)
      const keys = parts.get(input) ?? []
      replaceViews(
        keys.flatMap((key) => variables.get(key) ?? []),
        tensor,
      )
    }
    this.disposeUnused()
  }

  /** Frees the memory of tensors on the device that are no longer part of the state. */
  disposeUnused(): void {
    const used = new Set(this.#all().map(({ view }) => view.tensor))
    for (const tensor of this.#onDevice) {
      if (used.has(tensor)) continue
      disposeTensor(tensor)
      this.#onDevice.delete(tensor)
    }
  }

  /** The parameters and statistics as tensors of their own, on the device if they lie there. */
  async weights(): Promise<Tensors> {
    const own = this.#tracer.groups.length > 0 ? this.#statistics : this.trained
    const entries: [name: string, Tensor][] = []
    for (const variable of own) entries.push([variable.parameter, await this.#tensorOf([variable])])
    if (own === this.trained) return Object.fromEntries(entries)
    const from = this.#parameters.map(({ view }) => view)
    if (this.#split?.from.some((view, i) => view !== from[i])) this.#releaseSplit()
    this.#split ??= { from, weights: await this.#splitWeights() }
    return { ...this.#split.weights, ...Object.fromEntries(entries) }
  }

  /** The elements of a tensor. */
  read(tensor: Tensor): Promise<Float32Array> {
    return this.#reader.read(tensor)
  }

  /** Reads views, each of their tensors once. */
  reading(): (view: TensorView) => Promise<Float32Array> {
    const tensors = new Map<Tensor, Promise<Float32Array>>()
    return async (view) => {
      const reading = tensors.get(view.tensor) ?? this.read(view.tensor)
      tensors.set(view.tensor, reading)
      return (await reading).subarray(view.offset, view.offset + sizeOf(view))
    }
  }

  /** Replaces all tensors on the device by copies on the CPU. */
  async moveToCpu(): Promise<void> {
    const read = this.reading()
    for (const variable of this.#all()) {
      const { view } = variable
      if (!isOnDevice(view.tensor)) continue
      variable.view = newView(this.#runtime, (await read(view)).slice(), view.shape)
    }
    this.#releaseSplit()
    this.disposeUnused()
  }

  async release(): Promise<void> {
    this.#releaseSplit()
    for (const tensor of this.#onDevice) disposeTensor(tensor)
    this.#onDevice.clear()
    await Promise.all([this.#splitter, this.#reader].map((one) => one?.release()))
  }

  /** The tensor of a variable, or of those of a group. */
  async #tensorOf(variables: readonly Variable[]): Promise<Tensor> {
    const [{ parameter, array, view: first }] = variables
    const isVector =
      array !== statisticArray && this.#tracer.groups.some((group) => group.includes(parameter))
    const views = variables.map(({ view }) => view)
    const whole = wholeTensor(views)
    if (whole && (!isVector || whole.dims.length === 1)) return whole
    const data = new Float32Array(views.reduce((sum, view) => sum + sizeOf(view), 0))
    const read = this.reading()
    let offset = 0
    for (const view of views) {
      data.set(await read(view), offset)
      offset += sizeOf(view)
    }
    const shape = isVector ? [data.length] : first.shape
    const tensor = new this.#runtime.Tensor('float32', data, shape)
    replaceViews(variables, tensor)
    return tensor
  }

  async #splitWeights(): Promise<Tensors> {
    const { groups } = this.#tracer
    const keys = groups.map((names, i) => {
      const parts = names.map((name) => arrayKey(name, 'theta'))
      return [vectorName(i), parts] as const
    })
    const vectors = await this.tensors(keys)
    const shapes = new Map(this.#parameters.map(({ parameter, view }) => [parameter, view.shape]))
    if (!Object.values(vectors).some(isOnDevice)) {
      const entries: [name: string, Tensor][] = []
      const read = this.reading()
      for (const { parameter, view } of this.#parameters) {
        const data = await read(view)
        entries.push([parameter, new this.#runtime.Tensor('float32', data, view.shape)])
      }
      return Object.fromEntries(entries)
    }
    const locations = [...shapes.keys()].map((name) => [name, 'gpu-buffer'] as const)
    this.#splitter ??= await createSession(this.#runtime, splitModel(groups, shapes), {
      ...this.#session,
      preferredOutputLocation: Object.fromEntries(locations),
    })
    return runSession(this.#splitter, vectors)
  }

  #releaseSplit(): void {
    for (const tensor of Object.values(this.#split?.weights ?? {})) disposeTensor(tensor)
    this.#split = undefined
  }

  #all(): readonly Variable[] {
    return [...this.trained, ...this.#tracer.state.values()]
  }

  #byKey(): ReadonlyMap<string, Variable> {
    return new Map(this.#all().map((one) => [arrayKey(one.parameter, one.array), one]))
  }
}

const isOnDevice = ({ location }: Tensor): boolean => location === 'gpu-buffer'

/** Frees the memory of a tensor on a device, which the garbage collector does not know. */
export function disposeTensor(tensor: Tensor): void {
  if (isOnDevice(tensor)) tensor.dispose()
}

/** Makes variables the parts of a tensor, one after the other. */
function replaceViews(variables: readonly Variable[], tensor: Tensor): void {
  const shapes = variables.map(({ view }) => view.shape)
  for (const [i, view] of partsOf(tensor, shapes).entries()) variables[i].view = view
}

const vectorName = (group: number): string => `group/${group}`

/** A model that cuts the vectors of groups into parameters. */
function splitModel(
  groups: readonly (readonly string[])[],
  shapes: ReadonlyMap<string, readonly number[]>,
): Model {
  const graph = new Graph()
  const outputs = groups.flatMap((names, i) => {
    const sized = names.map((name) => {
      const shape = shapes.get(name) ?? []
      return { name, shape, size: elementCount(shape) }
    })
    const total = sized.reduce((sum, { size }) => sum + size, 0)
    const vector = graph.input(vectorName(i), 'float32', [total])
    let start = 0
    return sized.map(({ name, shape, size }) => {
      const part = slice(vector, [{ axis: 0, start, end: start + size }])
      start += size
      return [name, reshape(part, shape)] as const
    })
  })
  return toModel({ name: 'weights', outputs: new Map(outputs) })
}
