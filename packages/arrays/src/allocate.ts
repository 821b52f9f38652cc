import type { Dtype, FloatArray } from '@diffgrad/kernels'
import { Arena, rowBytes } from './arena.ts'

/** Shapes by parameter name. */
type Shapes = Readonly<Record<string, readonly number[]>>

/** Options of `allocate`. */
export interface AllocateOptions<D extends Dtype = Dtype> {
  /** `float32` by default. */
  readonly dtype?: D
  /**
   * Whether the memory is shared between threads, for optimizers with the option `threads`. In a
   * browser, only a cross-origin-isolated page has such memory.
   */
  readonly shared?: boolean
}

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
 * They are ordinary typed arrays, and optimizers know their shapes.
 *
 * @example
 * const { parameters, gradients } = allocate({ weights: [3, 2], bias: [3] })
 * const optimizer = new DiffGrad(parameters)
 * gradients.bias.set([0.1, 0.2, 0.3])
 * optimizer.step(gradients)
 *
 * @throws RangeError naming an invalid shape or data type, or if the memory is too large.
 */
export function allocate<const S extends Shapes, D extends Dtype = 'float32'>(
  parameters: S,
  options: AllocateOptions<D> = {},
): Allocated<S, D extends 'float32' ? Float32Array : Float64Array> {
  const { dtype = 'float32', shared = false } = options
  if (!dtypes.includes(dtype)) {
    throw new RangeError(`allocate: dtype must be ${dtypes.join(' or ')}, but is ${dtype}`)
  }
  const sizes = Object.entries(parameters).map(([name, shape]) => sizeOf(name, shape))
  const row = rowBytes(sizes, dtype)
  // Rows of groups are no longer than the rows of single parameters together.
  const apart = sizes.reduce((sum, size) => sum + rowBytes([size], dtype), 0)
  const arena = new Arena(dtype, 2 * row + stateRows * apart, shared)
  const allocateRow = (): unknown => {
    const arrays = arena.allocate(sizes)
    if (!arrays) throw new RangeError(`allocate: ${2 * row} bytes do not fit into one memory`)
    const entries = Object.entries(parameters).map(([name, shape], i) => {
      shapes.set(arrays[i], shape)
      return [name, arrays[i]]
    })
    return Object.freeze(Object.fromEntries(entries))
  }
  // The keys are the names of the shapes; the data type decides the type of the arrays.
  return { parameters: allocateRow(), gradients: allocateRow() } as ReturnType<
    typeof allocate<S, D>
  >
}

function sizeOf(name: string, shape: readonly number[]): number {
  const isShape =
    Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)
  const size = isShape ? shape.reduce((product, axis) => product * axis, 1) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  const is = Array.isArray(shape) ? `[${shape}]` : String(shape)
  throw new RangeError(`allocate: the shape of ${name} must be whole numbers, but is ${is}`)
}
