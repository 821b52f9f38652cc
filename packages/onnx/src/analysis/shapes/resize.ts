import type { Operation } from '../../ir/graph.ts'
import { axisSize, constantElements } from '../../ir/value.ts'
import { namedAxes, type ShapeRule, shapeInput } from './shape-rule.ts'

/** An axis before and after a Resize. Lengths are rounded down, so `scale` may differ from their ratio. */
export interface ResizedAxis {
  readonly size: number
  readonly resized: number
  readonly scale: number
}

/** The axes that a Resize changes, by their number. */
export function resizedAxes(operation: Operation): ReadonlyMap<number, ResizedAxis> {
  const x = operation.input(0)
  const axes = namedAxes(operation, operation.ints('axes'))
  const target = operation.inputs[3] && shapeInput(operation, 3)
  const amounts = target ?? constantElements(operation.input(2))
  if (amounts.length !== axes.length || !amounts.every((amount) => amount > 0))
    throw operation.error(
      `sizes or scales must be ${axes.length} numbers > 0, but are [${amounts}]`,
    )
  const policy = operation.string('keep_aspect_ratio_policy', 'stretch')
  const changed = axes.flatMap((axis, i) => {
    const amount = amounts[i] ?? 1
    return amount === (target ? x.shape[axis] : 1) ? [] : [[axis, amount] as const]
  })
  if (!target || policy === 'stretch')
    return new Map(
      changed.map(([axis, amount]) => {
        const size = axisSize(x, axis)
        return target
          ? [axis, { size, resized: amount, scale: amount / size }]
          : [axis, { size, resized: Math.floor(size * amount), scale: amount }]
      }),
    )
  if (policy !== 'not_larger' && policy !== 'not_smaller')
    throw operation.error(
      `keep_aspect_ratio_policy must be "stretch", "not_larger" or "not_smaller", but is "${policy}"`,
    )
  const ratios = axes.map((axis, i) => (target[i] ?? 1) / axisSize(x, axis))
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return new Map(
    axes.map((axis) => {
      const size = axisSize(x, axis)
      return [axis, { size, resized: Math.floor(size * scale + 0.5), scale }]
    }),
  )
}

const resize: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const mode = operation.string('mode', 'nearest')
  if (!['nearest', 'linear', 'cubic'].includes(mode))
    throw operation.error(`mode must be "nearest", "linear" or "cubic", but is "${mode}"`)
  const axes = resizedAxes(operation)
  return [{ type, shape: shape.map((size, axis) => axes.get(axis)?.resized ?? size) }]
}

/** Shapes of resized images. */
export const resizeShapes: Readonly<Record<string, ShapeRule>> = { Resize: resize }
