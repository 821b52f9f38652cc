import { describe } from '@diffgrad/core'
import {
  type DataType,
  type Elements,
  elementCount,
  isOperator,
  type Model,
  type ValueInfo,
} from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'
import type { Runtime, Tensors } from './runtime.ts'
import { isRecord } from './safetensors.ts'

/** The elements of an input in row-major order, alone or with their shape. Classes may be plain numbers. */
export type BatchValue =
  | Elements
  | readonly number[]
  | { readonly data: Elements | readonly number[]; readonly dims: readonly number[] }

/** Inputs and targets by name. A tensor of the runtime is a valid value. */
export type Batch = Readonly<Record<string, BatchValue>>

const arrayTypes: Readonly<Record<DataType, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int8: 'Int8Array',
  int16: 'Int16Array',
  int32: 'Int32Array',
  int64: 'BigInt64Array',
  uint8: 'Uint8Array',
  uint16: 'Uint16Array',
  uint32: 'Uint32Array',
  uint64: 'BigUint64Array',
  bool: 'Uint8Array',
}

type Data = Elements | readonly number[]

/** Elements that fit their input, with a length for each axis. */
interface ShapedData {
  readonly data: Data
  readonly dims: readonly number[]
}

/**
 * Checks a batch against the inputs of a model and converts it to tensors.
 *
 * @param weights - tensors of the inputs that are no part of the batch.
 * @throws {TrainerError} Naming the input that is missing, unexpected, of a wrong type or shape, or
 *   that holds a class out of range.
 */
export function toFeeds(runtime: Runtime, model: Model, batch: Batch, weights: Tensors): Tensors {
  checkBatch(batch)
  const inputs = model.inputs.filter(({ name }) => !Object.hasOwn(weights, name))
  const names = inputs.map(({ name }) => name)
  const unexpected = Object.keys(batch).find((name) => !names.includes(name))
  if (unexpected !== undefined)
    throw new TrainerError(
      `batch: "${unexpected}" is no input of the model, which has ${names.join(', ')}`,
    )
  const classCounts = classCountsOf(model)
  const feeds = inputs.map((input) => {
    const value = batch[input.name]
    if (value === undefined)
      throw new TrainerError(
        `batch: must have "${input.name}"; the model has the inputs ${names.join(', ')}`,
      )
    const { data, dims } = checkInput(input, value)
    const classCount = classCounts.get(input.name)
    if (classCount !== undefined) checkClasses(input.name, data, classCount)
    const tensor = new runtime.Tensor(input.type ?? 'float32', data as number[], dims)
    return [input.name, tensor] as const
  })
  return Object.fromEntries(feeds)
}

/**
 * The lengths that a batch gives to the symbolic dimensions of a model, by their names.
 *
 * @throws {TrainerError} If the batch does not fit the model for any lengths.
 */
export function symbolicDimensions(model: Model, batch: Batch): Readonly<Record<string, number>> {
  checkBatch(batch)
  const lengths: Record<string, number> = {}
  for (const input of model.inputs) {
    const value = batch[input.name]
    if (value === undefined) continue
    const { dims } = checkInput(input, value)
    for (const [axis, dimension] of (input.shape ?? []).entries())
      if (typeof dimension === 'string') lengths[dimension] = dims[axis]
  }
  return lengths
}

function checkBatch(batch: unknown): void {
  if (!isRecord(batch))
    throw new TrainerError(`batch: must be an object of inputs by name, but is ${describe(batch)}`)
}

/** Checks type and shape. A single symbolic dimension is computed from the number of elements. */
function checkInput({ name, type, shape = [] }: ValueInfo, value: BatchValue): ShapedData {
  const isTensor = isRecord(value) && 'data' in value
  const { data, dims = undefined } = isTensor ? value : { data: value }
  const expected = type && arrayTypes[type]
  const actual = ArrayBuffer.isView(data) ? data.constructor.name : describe(data)
  if (!Array.isArray(data) && actual !== expected)
    throw new TrainerError(`batch: "${name}" must be ${type} (${expected}), but is ${actual}`)
  const fixed = shape.filter((dimension) => typeof dimension === 'number')
  const rest = data.length / elementCount(fixed)
  const symbols = shape.length - fixed.length
  const lengths =
    dims ?? shape.map((dimension) => (typeof dimension === 'number' ? dimension : rest))
  const fits =
    lengths.length === shape.length &&
    (symbols <= 1 || dims !== undefined) &&
    lengths.every((length, axis) => fitsDimension(length, shape[axis])) &&
    elementCount(lengths) === data.length
  if (fits) return { data, dims: lengths }
  const found = dims ? `[${dims}]` : `${data.length} elements`
  throw new TrainerError(`batch: "${name}" must be ${type} [${shape}], but is ${found}`)
}

const fitsDimension = (length: number, dimension: number | string | undefined): boolean =>
  Number.isSafeInteger(length) &&
  length > 0 &&
  (typeof dimension !== 'number' || dimension === length)

/**
 * The inputs that hold classes, with the number of classes. OneHot makes a row of zeros of a class
 * out of range, without an error.
 */
function classCountsOf({ nodes, initializers }: Model): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const node of nodes) {
    if (!isOperator(node, 'OneHot')) continue
    const [labels, depth] = node.inputs
    const count = initializers.get(depth)
    if (count !== undefined && count.type !== 'opaque') counts.set(labels, Number(count.data[0]))
  }
  return counts
}

function checkClasses(name: string, data: Data, count: number): void {
  for (let i = 0; i < data.length; i++) {
    const label = data[i]
    if (label < 0 || label >= count || !Number.isInteger(Number(label)))
      throw new TrainerError(
        `batch: "${name}" must hold classes in [0, ${count}), but element ${i} is ${label}`,
      )
  }
}
