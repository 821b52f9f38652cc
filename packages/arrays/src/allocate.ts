import { describe, isPlainObject } from '@diffgrad/core'
import { type Dtype, type FloatArray, startPool } from '@diffgrad/kernels'
import { Arena, ordinaryArrays, rowBytes } from './arena.ts'

/** Shapes by parameter name. */
type Shapes = Readonly<Record<string, readonly number[]>>

/** Options of `allocate`. */
export interface AllocateOptions<D extends Dtype = Dtype, Shared extends boolean = boolean> {
  /** `float32` by default. */
  readonly dtype?: D | undefined
  /**
   * Whether the memory is shared between threads, for optimizers with the option `threads`. It needs
   * `SharedArrayBuffer`, which a page has only if it is cross-origin isolated.
   */
  readonly shared?: Shared | undefined
}

/** The array of a data type; with TypeScript 5.7 or newer, on an `ArrayBuffer` unless shared. */
type ArrayOf<D extends Dtype, Shared extends boolean> = Shared extends false
  ? ReturnType<(D extends 'float32' ? Float32ArrayConstructor : Float64ArrayConstructor)['of']>
  : D extends 'float32'
    ? Float32Array
    : Float64Array

/** Zero-filled parameters, and a gradient for each. */
export interface Allocated<S extends Shapes, A extends FloatArray> {
  readonly parameters: { readonly [K in keyof S]: A }
  readonly gradients: { readonly [K in keyof S]: A }
}

/** The states of each parameter: as many as any shipped rule needs with every transform on. */
const stateRows = 7

const dtypes: readonly string[] = ['float32', 'float64'] satisfies readonly Dtype[]

const shapes = new WeakMap<FloatArray, readonly number[]>()

/** Returns the shape with which `allocate` made an array. */
export const allocatedShape = (array: FloatArray): readonly number[] | undefined =>
  shapes.get(array)

/**
 * Allocates parameters and gradients in a WebAssembly memory, so that optimizers of them copy nothing.
 * They are ordinary typed arrays, and optimizers know their shapes. Where there is no WebAssembly, or it
 * has no memory of this size left, they lie in ordinary memory, and optimizers may copy.
 *
 * @example
 * const { parameters, gradients } = allocate({ weights: [3, 2], bias: [3] })
 * const optimizer = new DiffGrad(parameters)
 * gradients.bias.set([0.1, 0.2, 0.3])
 * optimizer.step(gradients)
 *
 * @throws TypeError if parameters or options are not a plain object.
 * @throws RangeError naming an invalid shape or option, or an array for which there is no memory;
 * if `shared` and there is no `SharedArrayBuffer`.
 */
export function allocate<
  const S extends Shapes,
  D extends Dtype = 'float32',
  Shared extends boolean = false,
>(parameters: S, options: AllocateOptions<D, Shared> = {}): Allocated<S, ArrayOf<D, Shared>> {
  const { dtype, shared } = checkAllocateOptions(options)
  checkObject('parameters', parameters)
  const sizes = Object.entries(parameters).map(([name, shape]) => sizeOf(name, shape))
  const row = rowBytes(sizes, dtype)
  // Rows of groups are no longer than the rows of single parameters together.
  const apart = sizes.reduce((sum, size) => sum + rowBytes([size], dtype), 0)
  const pool = shared ? startPool : undefined
  // Where memory is short, the states can be elsewhere.
  const arena =
    Arena.create(dtype, 2 * row + stateRows * apart, pool) ?? Arena.create(dtype, 2 * row, pool)
  const allocateRow = (): unknown => {
    const arrays = arena?.allocate(sizes)
    const entries = Object.entries(parameters).map(([name, shape], i) => {
      const array = arrays?.[i] ?? ordinaryArray(name, dtype, sizes[i], shared)
      shapes.set(array, [...shape])
      return [name, array]
    })
    return Object.freeze(Object.fromEntries(entries))
  }
  // The keys are the names of the shapes; the options decide the type of the arrays.
  return { parameters: allocateRow(), gradients: allocateRow() } as ReturnType<
    typeof allocate<S, D, Shared>
  >
}

/** @throws RangeError naming an array for which there is no memory. */
function ordinaryArray(name: string, dtype: Dtype, size: number, shared: boolean): FloatArray {
  try {
    return ordinaryArrays(dtype, [size], shared)[0]
  } catch (cause) {
    const bytes = size * (dtype === 'float32' ? 4 : 8)
    throw new RangeError(
      `allocate: ${name} must fit into memory, but has ${bytes} bytes that cannot be allocated`,
      { cause },
    )
  }
}

function checkObject(what: string, value: unknown): void {
  if (isPlainObject(value)) return
  throw new TypeError(`allocate: ${what} must be an object, but are ${describe(value)}`)
}

function checkAllocateOptions(options: AllocateOptions): {
  readonly dtype: Dtype
  readonly shared: boolean
} {
  checkObject('options', options)
  const { dtype = 'float32', shared = false, ...others } = options
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw new RangeError(`allocate: has no option ${unknown}; it has dtype, shared`)
  }
  if (!dtypes.includes(dtype)) {
    throw new RangeError(
      `allocate: dtype must be ${dtypes.join(' or ')}, but is ${describe(dtype)}`,
    )
  }
  if (typeof shared !== 'boolean') {
    throw new RangeError(`allocate: shared must be false or true, but is ${describe(shared)}`)
  }
  if (shared && typeof SharedArrayBuffer === 'undefined') {
    throw new RangeError(
      'allocate: shared needs SharedArrayBuffer, which a page has only if it is cross-origin isolated',
    )
  }
  return { dtype, shared }
}

function sizeOf(name: string, shape: readonly number[]): number {
  const isShape =
    Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)
  const size = isShape ? shape.reduce((product, axis) => product * axis, 1) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  throw new RangeError(
    `allocate: the shape of ${name} must be whole numbers, but is ${describe(shape)}`,
  )
}
