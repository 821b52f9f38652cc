import type { DataType, Elements, Model, ValueInfo } from '@diffgrad/onnx'
import { TrainerError } from './error.ts'
import { classInputs } from './model/classes.ts'
import type { Runtime, Tensors } from './runtime.ts'

/** The elements of an input in row-major order, alone or with their shape. Classes may be plain numbers. */
export type BatchValue =
  | Elements
  | readonly number[]
  | { readonly data: Elements | readonly number[]; readonly dims: readonly number[] }

/** Inputs and targets by name. A tensor of the runtime will do. */
export type Batch = Readonly<Record<string, BatchValue>>

const arrays: Readonly<Record<DataType, string>> = {
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

type Given = { readonly data: Elements | readonly number[]; readonly dims?: readonly number[] }

const given = (value: BatchValue): Given => ('data' in value ? value : { data: value })

/**
 * Checks a batch against what a model takes, and gives it the form that the runtime takes.
 *
 * @throws {TrainerError} Naming the input that is missing, surplus, of another type or shape, or that
 *   holds a class that does not exist.
 */
export function feedsOf(runtime: Runtime, model: Model, batch: Batch, weights: Tensors): Tensors {
  const inputs = model.inputs.filter(({ name }) => !(name in weights))
  const names = inputs.map(({ name }) => name)
  const surplus = Object.keys(batch).find((name) => !names.includes(name))
  if (surplus !== undefined)
    throw new TrainerError(`batch: "${surplus}" is no input; the model takes ${names.join(', ')}`)
  const classes = classInputs(model)
  const feeds = inputs.map((input) => {
    const value = batch[input.name]
    if (value === undefined)
      throw new TrainerError(`batch: must have "${input.name}", as the model takes ${names}`)
    const { data, dims } = checked(input, given(value))
    const count = classes.get(input.name)
    if (count !== undefined) checkClasses(input.name, data, count)
    return [
      input.name,
      new runtime.Tensor(input.type ?? 'float32', data as number[], dims),
    ] as const
  })
  return Object.fromEntries(feeds)
}

function checked(
  { name, type, shape = [] }: ValueInfo,
  { data, dims }: Given,
): { readonly data: Given['data']; readonly dims: readonly number[] } {
  const expected = type && arrays[type]
  const kind = Array.isArray(data) ? 'a plain array' : data.constructor.name
  if (!Array.isArray(data) && kind !== expected)
    throw new TrainerError(`batch: "${name}" must be ${type} (${expected}), but is ${kind}`)
  const known = shape.filter((size) => typeof size === 'number')
  const rest = data.length / known.reduce((product, size) => product * size, 1)
  const open = shape.length - known.length
  const found = dims ?? shape.map((size) => (typeof size === 'number' ? size : rest))
  const fits =
    found.length === shape.length &&
    (open <= 1 || dims !== undefined) &&
    found.every((size, axis) => Number.isSafeInteger(size) && fitsAxis(size, shape[axis])) &&
    found.reduce((product, size) => product * size, 1) === data.length
  if (fits) return { data, dims: found }
  const is = dims ? `[${dims}]` : `${data.length} elements`
  throw new TrainerError(`batch: "${name}" must be ${type} [${shape}], but is ${is}`)
}

const fitsAxis = (size: number, axis: number | string | undefined): boolean =>
  size > 0 && (typeof axis !== 'number' || axis === size)

function checkClasses(name: string, data: Given['data'], count: number): void {
  for (let i = 0; i < data.length; i++) {
    const label = data[i]
    if (label < 0 || label >= count || !Number.isInteger(Number(label)))
      throw new TrainerError(
        `batch: "${name}" must hold classes in [0, ${count}), but element ${i} is ${label}`,
      )
  }
}

/**
 * The sizes that a batch gives to the dimensions that a model leaves open.
 *
 * @throws {TrainerError} If a batch does not fit the model, whatever the open sizes are.
 */
export function openSizes(model: Model, batch: Batch): Readonly<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const input of model.inputs) {
    const value = batch[input.name]
    if (value === undefined) continue
    const { dims } = checked(input, given(value))
    for (const [axis, size] of (input.shape ?? []).entries())
      if (typeof size === 'string') sizes[size] = dims[axis]
  }
  return sizes
}
