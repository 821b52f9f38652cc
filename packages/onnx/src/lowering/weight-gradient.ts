import { OnnxError } from '../error.ts'
import type { Lowering } from '../ir/lowering.ts'
import { sizeOf, sizes, type Value } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import {
  apply,
  concat,
  gemm,
  matMul,
  pad,
  reshape,
  slice,
  transpose,
  transposeMatrix,
} from '../ops/operations.ts'
import { places } from '../shapes/places.ts'
import { seenBy, type Window } from '../shapes/window.ts'
import { patches } from './patches.ts'

/** What the gradient of a convolution's weight is computed from. */
export interface Convolved {
  /** The image that was convolved: batch × channels × space. */
  readonly image: Value
  /** The gradient of the result. */
  readonly gradient: Value
  readonly window: Window
  readonly groups: number
}

/**
 * The gradient of a convolution's weight, for output m, input c and kernel element k:
 * ∂w[m, c, k] = Σₙₚ ∂y[n, m, p] · x[n, c, stride·p + dilation·k − begin]
 */
export const weightGradients: Readonly<
  Record<Lowering['weightGradient'], (convolved: Convolved) => Value>
> = {
  /** What the kernel sees lies in rows, one for each n and p, which one product sums. */
  patches(convolved) {
    const { image, gradient, window, groups } = convolved
    if (groups > 1 || elementCount(window.kernel) === 1) return weightGradients.slices(convolved)
    const rows = gradientRows(convolved)
    const seen = patches(image, window, sizes(gradient).slice(2))
    return asWeight(gemm(reshape(rows, sizes(rows).slice(1)), seen), convolved)
  },

  /** The shifted images lie side by side, so that one product sums over n and p for every k at once. */
  slices(convolved) {
    const { groups } = convolved
    const rows = gradientRows(convolved)
    const columns = joined(shiftedImages(convolved), 1)
    const flat = sizes(columns)
    const product =
      groups === 1
        ? gemm(reshape(rows, sizes(rows).slice(1)), reshape(columns, flat.slice(1)), { b: true })
        : matMul(rows, transposeMatrix(columns))
    return asWeight(product, convolved)
  },

  /** One product for every k. */
  taps(convolved) {
    const rows = gradientRows(convolved)
    const products = shiftedImages(convolved).map((image) => matMul(rows, transposeMatrix(image)))
    return asWeight(joined(products, 2), convolved)
  },

  /** A convolution over n, in which stride and dilation change places. */
  convolution({ image, gradient, window, groups }) {
    const [batch = 1, channels = 1, ...space] = sizes(image)
    const [, outputs = 1, ...points] = sizes(gradient)
    const perGroup = channels / groups
    const grouped = transpose(reshape(image, [batch, groups, perGroup, ...space]), [
      ...[2, 1, 0],
      ...space.map((_, axis) => axis + 3),
    ])
    const swapped = [1, 0, ...space.map((_, axis) => axis + 2)]
    const wide = apply(
      'Conv',
      [reshape(grouped, [perGroup, groups * batch, ...space]), transpose(gradient, swapped)],
      {
        kernel_shape: points,
        strides: window.dilations,
        dilations: window.strides,
        pads: [...window.begin, ...window.end],
        group: groups,
      },
    )
    const exact = slice(
      wide,
      window.kernel.map((end, axis) => ({ axis: axis + 2, start: 0, end })),
    )
    return reshape(transpose(exact, swapped), [outputs, perGroup, ...window.kernel])
  },
}

const joined = (parts: readonly Value[], axis: number): Value => {
  const [first, ...rest] = parts
  if (first === undefined) throw new OnnxError('convolution: its kernel must have elements')
  return rest.length === 0 ? first : concat([first, ...rest], axis)
}

/** ∂y as groups × outputs × (batch · points). */
function gradientRows({ gradient, groups }: Convolved): Value {
  const [batch = 1, outputs = 1, ...points] = sizes(gradient)
  const axes = points.map((_, axis) => axis + 2)
  return reshape(transpose(gradient, [1, 0, ...axes]), [
    groups,
    outputs / groups,
    batch * elementCount(points),
  ])
}

/** For every kernel element, what it saw: groups × inputs × (batch · points). */
function shiftedImages({ image, gradient, window, groups }: Convolved): readonly Value[] {
  const [batch = 1, channels = 1, ...space] = sizes(image)
  const points = sizes(gradient).slice(2)
  const axes = space.map((_, axis) => axis + 2)
  const padded = pad(image, [0, 0, ...window.begin], [0, 0, ...window.end])
  const turned = transpose(padded, [1, 0, ...axes])
  const whole = sizes(turned).slice(2)
  return places(window.kernel).map((element) => {
    const ranges = seenBy(window, element, points)
    const all = ranges.every(
      ({ start, end, step }, axis) => start === 0 && step === 1 && end === whole[axis],
    )
    return reshape(all ? turned : slice(turned, ranges), [
      groups,
      channels / groups,
      batch * elementCount(points),
    ])
  })
}

/** From outputs × (kernel · inputs) to outputs × inputs × kernel. */
function asWeight(product: Value, { image, gradient, window, groups }: Convolved): Value {
  const perGroup = sizeOf(image, 1) / groups
  const outputs = sizeOf(gradient, 1)
  const axes = window.kernel.map((_, axis) => axis + 1)
  return transpose(reshape(product, [outputs, ...window.kernel, perGroup]), [
    0,
    axes.length + 1,
    ...axes,
  ])
}
