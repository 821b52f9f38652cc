import type { Course } from './course.ts'
import type { Descent } from './descent.ts'

/** A race as it is drawn. */
export interface Scene {
  readonly course: Course
  readonly start: readonly number[]
  readonly descents: readonly Descent[]
  readonly selected: number
  readonly steps: number
  /** Where the race stands: a step, or somewhere between two. */
  readonly position: number
}

/** The way of a racer so far, its last point between two steps. */
export function wayOf(descent: Descent, position: number): readonly (readonly number[])[] {
  const way = descent.path(Math.floor(position))
  return position > Math.floor(position) ? [...way, descent.between(position)] : way
}

/** The selected racer is drawn last, on top of the others. */
export const drawingOrder = ({ descents, selected }: Scene): readonly number[] => [
  ...[...descents.keys()].filter((i) => i !== selected),
  ...(selected < descents.length ? [selected] : []),
]
