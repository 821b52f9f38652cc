import { describe } from '@diffgrad/core'
import {
  type DataType,
  type Elements,
  elementCount,
  type InputSizes,
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
 * @param weights - the inputs that are no part of the batch, by name.
 * @throws {TrainerError} Naming the input that is missing, unexpected, of a wrong type or shape, or
 *   that holds a class out of range.
 */
export function toFeeds(
  runtime: Runtime,
  model: Model,
  batch: Batch,
  weights: Readonly<Record<string, unknown>>,
): Tensors {
  checkBatch(batch)
  const inputs = model.inputs.filter(({ name }) => !Object.hasOwn(weights, name))
  const names = inputs.map(({ name }) => name)
  const unexpected = Object.keys(batch).find((name) => !names.includes(name))
  if (unexpected !== undefined)
    throw new TrainerError(
      `batch: "${unexpected}" is no input of the model, which has ${names.join(', ')}`,
    )
  const classRanges = classRangesOf(model)
  const feeds = inputs.map((input) => {
    const value = batch[input.name]
    if (value === undefined)
      throw new TrainerError(
        `batch: must have "${input.name}"; the model has the inputs ${names.join(', ')}`,
      )
    const classes = classRanges.get(input.name)
    const { data, dims } = checkInput(input, classes ? asClasses(input, value) : value)
    if (classes !== undefined) checkClasses(input.name, data, classes)
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

/**
 * The sizes of a step on a batch: those that the batch gives, and else those of the trainer's options.
 *
 * @throws {TrainerError} If the batch does not fit the model for any sizes.
 */
export function sizesOf(
  model: Model,
  batch: Batch,
  { dimensions = {}, shapes = {} }: InputSizes,
): Readonly<Record<string, number>> {
  checkBatch(batch)
  const isFlat = (value: BatchValue): boolean => !(isRecord(value) && 'data' in value)
  // Plain elements do not tell the lengths of two axes.
  const inputs = model.inputs.filter(({ name, shape = [] }) => {
    const symbols = shape.filter((size) => typeof size === 'string').length
    const value = batch[name]
    return value !== undefined && !(name in shapes) && !(symbols > 1 && isFlat(value))
  })
  return { ...dimensions, ...symbolicDimensions({ ...model, inputs }, batch) }
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

/** What the elements of an input with classes may be. */
interface ClassRange {
  /** The classes are from 0 to before this number. */
  readonly count: number
  /** The class of targets that do not count, which may be out of range. */
  readonly ignored: number | undefined
}

/**
 * The inputs that hold classes. OneHot makes a row of zeros of a class out of range, without an error; so
 * does Equal with a list of the classes, by which it is replaced for some providers. With an `ignoreIndex`,
 * they read Where(Equal(input, ignored), 0, input).
 */
function classRangesOf({ nodes, initializers }: Model): ReadonlyMap<string, ClassRange> {
  const integer = (name: string): number | undefined => {
    const tensor = initializers.get(name)
    return tensor === undefined || tensor.type === 'opaque' ? undefined : Number(tensor.data[0])
  }
  const ranges = new Map<string, ClassRange>()
  for (const node of nodes) {
    const [labels, other] = node.inputs
    const list = initializers.get(other)
    const isList = isOperator(node, 'Equal') && list?.type === 'int32' && list.shape.length > 0
    if (!isList && !isOperator(node, 'OneHot')) continue
    const count = isList ? list.data.length : integer(other)
    if (count === undefined) continue
    const choice = nodes.find(({ outputs }) => outputs.includes(labels))
    if (!choice || !isOperator(choice, 'Where')) {
      ranges.set(labels, { count, ignored: undefined })
      continue
    }
    const [condition, , target] = choice.inputs
    const comparison = nodes.find(({ outputs }) => outputs.includes(condition))
    ranges.set(target, { count, ignored: integer(comparison?.inputs[1] ?? '') })
  }
  return ranges
}

/** Classes may be given as int64 where a provider takes int32. */
function asClasses({ type }: ValueInfo, value: BatchValue): BatchValue {
  const isTensor = isRecord(value) && 'data' in value
  const data = isTensor ? value.data : value
  if (type !== 'int32' || !(data instanceof BigInt64Array)) return value
  const classes = Int32Array.from(data, Number)
  return isTensor ? { data: classes, dims: value.dims } : classes
}

function checkClasses(name: string, data: Data, { count, ignored }: ClassRange): void {
  for (let i = 0; i < data.length; i++) {
    const label = data[i]
    if (
      (label < 0 || label >= count || !Number.isInteger(Number(label))) &&
      Number(label) !== ignored
    )
      throw new TrainerError(
        `batch: "${name}" must hold classes in [0, ${count})${ignored === undefined ? '' : ` or ${ignored}`}, but element ${i} is ${label}`,
      )
  }
}
