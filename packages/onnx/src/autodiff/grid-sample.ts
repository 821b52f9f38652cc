import type { Operation, Value } from '../ir/graph.ts'
import { axisSize, spatialShape, staticShape } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { apply } from '../ops/apply.ts'
import {
  abs,
  add,
  and,
  cast,
  div,
  equal,
  gather,
  greaterOrEqual,
  lessOrEqual,
  max,
  min,
  mul,
  reshape,
  square,
  sub,
  transpose,
  where,
} from '../ops/builders.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'

/** A pixel of one axis that contributes to every sampled point, with its weight: each batch × points. */
interface Tap {
  /** The index, a float32 in [0, size − 1]. */
  readonly index: Value
  readonly weight: Value
}

const floor = (x: Value): Value => apply('Floor', [x])

/** Limits coordinates to the pixels of an axis. */
const clamp = (x: Value, size: number): Value => min(max(x, 0), size - 1)

/** Mirrors coordinates at the edges of an axis: at the centres of its outer pixels if `align_corners` is set. */
function reflect(operation: Operation, x: Value, size: number): Value {
  const [low, range] = operation.int('align_corners', 0) !== 0 ? [0, size - 1] : [-0.5, size]
  if (range === 0) return mul(x, 0)
  const distance = abs(sub(x, low))
  const periods = floor(div(distance, range))
  const rest = sub(distance, mul(periods, range))
  const isEven = equal(mul(floor(mul(periods, 0.5)), 2), periods)
  return clamp(add(where(isEven, rest, sub(range, rest)), low), size)
}

/** Moves coordinates outside an axis to where `padding_mode` takes its elements from. */
function padded(operation: Operation, x: Value, size: number): Value {
  const mode = operation.string('padding_mode', 'zeros')
  if (mode === 'border') return clamp(x, size)
  if (mode === 'reflection') return reflect(operation, x, size)
  if (mode === 'zeros') return x
  throw operation.error(`padding_mode "${mode}" cannot be differentiated`)
}

/** The weight of pixels at a distance in [0, 1) or [1, 2) of cubic interpolation, with a = −¾. */
function cubicWeight(distance: Value, isNear: boolean): Value {
  const a = -0.75
  const [t, t2] = [distance, square(distance)]
  return isNear
    ? add(mul(t2, sub(mul(t, a + 2), a + 3)), 1)
    : sub(add(mul(t2, sub(mul(t, a), 5 * a)), mul(t, 8 * a)), 4 * a)
}

/** The pixels of one axis that contribute to the points at some coordinates, by `mode`. */
function tapsOf(operation: Operation, coordinate: Value, size: number): readonly Tap[] {
  const mode = operation.string('mode', 'linear')
  const tap = (position: Value, weight: Value): Tap => {
    const index = clamp(padded(operation, position, size), size)
    const inside = and(greaterOrEqual(position, 0), lessOrEqual(position, size - 1))
    const isPadded = operation.string('padding_mode', 'zeros') !== 'zeros'
    return { index, weight: isPadded ? weight : where(inside, weight, 0) }
  }
  if (mode === 'cubic') {
    const first = floor(coordinate)
    const t = sub(coordinate, first)
    return [-1, 0, 1, 2].map((offset) => {
      const distance = offset > 0 ? sub(offset, t) : sub(t, offset)
      return tap(add(first, offset), cubicWeight(distance, offset === 0 || offset === 1))
    })
  }
  const moved = padded(operation, coordinate, size)
  const one = add(mul(moved, 0), 1)
  if (mode === 'nearest') return [tap(apply('Round', [moved]), one)]
  if (mode !== 'linear') throw operation.error(`mode "${mode}" cannot be differentiated`)
  const first = floor(moved)
  const share = sub(moved, first)
  return [tap(first, sub(1, share)), tap(add(first, 1), share)]
}

/** Coordinates in pixels, from those of a grid: in [−1, 1], to the centres or edges of the outer pixels. */
const inPixels = (operation: Operation, x: Value, size: number): Value =>
  operation.int('align_corners', 0) !== 0
    ? mul(add(x, 1), (size - 1) / 2)
    : sub(mul(add(x, 1), size / 2), 0.5)

/**
 * y[p] = Σ w·x[q] over the pixels q around the point p of the grid. The weights are products of one factor
 * per axis; the grid lists the axes from the last to the first.
 */
export const gridSample: OperatorRewrite = (operation) => {
  const [x, grid] = [operation.input(0), operation.input(1)]
  const space = spatialShape(x)
  const [batch = 1, channels = 1] = staticShape(x)
  const outputSpace = staticShape(grid).slice(1, -1)
  const points = elementCount(outputSpace)
  const pixels = reshape(x, [batch, channels, elementCount(space)])
  const rows = transpose(pixels, [0, 2, 1])
  const taps = space.map((size, axis) => {
    const listed = gather(grid, [space.length - 1 - axis], grid.shape.length - 1)
    return tapsOf(operation, inPixels(operation, reshape(listed, [batch, points]), size), size)
  })
  const corners = taps.reduce<readonly Tap[]>(
    (all, ofAxis, axis) =>
      axis === 0
        ? ofAxis
        : all.flatMap((corner) =>
            ofAxis.map(({ index, weight }) => ({
              index: add(mul(corner.index, axisSize(x, axis + 2)), index),
              weight: mul(corner.weight, weight),
            })),
          ),
    [],
  )
  const summands = corners.map(({ index, weight }) => {
    const indices = reshape(cast(index, 'int64'), [batch, points, 1])
    const values = apply('GatherND', [rows, indices], { batch_dims: 1 })
    return mul(values, reshape(weight, [batch, points, 1]))
  })
  const sums = summands.reduce((sum, value) => add(sum, value))
  return [reshape(transpose(sums, [0, 2, 1]), [batch, channels, ...outputSpace])]
}
