import type { Floats } from './floats.ts'
import { Arena, rowBytes } from './wasm/arena.ts'
import { type Dtype, simdTypeOf } from './wasm/simd.ts'

/** Shapes by parameter name. */
type Shapes = Readonly<Record<string, readonly number[]>>

/** What `allocate` is told. */
export interface AllocateOptions<D extends Dtype = Dtype> {
  /** `float32` unless told otherwise. */
  readonly dtype?: D
  /**
   * Whether the memory is shared between threads, for optimizers with the option `threads`. In a
   * browser, only a cross-origin-isolated page has such memory.
   */
  readonly shared?: boolean
}

/** Parameters, and a gradient for each, as typed arrays that begin with zeros. */
export interface Allocated<S extends Shapes, A extends Floats> {
  readonly parameters: { readonly [K in keyof S]: A }
  readonly gradients: { readonly [K in keyof S]: A }
}

/** Arrays of memory for each parameter: as many as any shipped rule needs, all its surroundings on. */
const memoryRows = 7

const shapes = new WeakMap<Floats, readonly number[]>()

/** The shape with which an array was allocated, if it was. */
export const allocatedShape = (array: Floats): readonly number[] | undefined => shapes.get(array)

/**
 * Parameters and gradients that lie where kernels work, so that an optimizer of them copies nothing.
 * It finds their shapes by itself. They are ordinary typed arrays, and last as long as anything uses
 * them.
 *
 * @example
 * const { parameters, gradients } = allocate({ weights: [3, 2], bias: [3] })
 * const optimizer = new DiffGrad(parameters)
 * gradients.bias.set([0.1, 0.2, 0.3])
 * optimizer.step(gradients)
 *
 * @throws RangeError naming a shape or a data type that is none, or if there is not so much memory.
 */
export function allocate<const S extends Shapes, D extends Dtype = 'float32'>(
  parameters: S,
  options: AllocateOptions<D> = {},
): Allocated<S, D extends 'float32' ? Float32Array : Float64Array> {
  const { dtype = 'float32', shared = false } = options
  if (!Object.hasOwn(simdTypeOf, dtype)) {
    throw new RangeError(
      `allocate: dtype must be ${Object.keys(simdTypeOf).join(' or ')}, but is ${dtype}`,
    )
  }
  const sizes = Object.entries(parameters).map(([name, shape]) => sizeOf(name, shape))
  const row = rowBytes(sizes, dtype)
  // However the parameters are grouped, their rows are no longer than those of each for itself.
  const apart = sizes.reduce((sum, size) => sum + rowBytes([size], dtype), 0)
  const arena = new Arena(dtype, 2 * row + memoryRows * apart, shared)
  const named = (): unknown => {
    const arrays = arena.row(sizes)
    if (!arrays) throw new RangeError(`allocate: ${2 * row} bytes do not fit into one memory`)
    const entries = Object.entries(parameters).map(([name, shape], i) => {
      shapes.set(arrays[i], shape)
      return [name, arrays[i]]
    })
    return Object.freeze(Object.fromEntries(entries))
  }
  // The names are those of the shapes, and the kind of the arrays is the data type's.
  return { parameters: named(), gradients: named() } as ReturnType<typeof allocate<S, D>>
}

function sizeOf(name: string, shape: readonly number[]): number {
  const isShape =
    Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)
  const size = isShape ? shape.reduce((product, axis) => product * axis, 1) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  const is = Array.isArray(shape) ? `[${shape}]` : String(shape)
  throw new RangeError(`allocate: the shape of ${name} must be whole numbers, but is ${is}`)
}
