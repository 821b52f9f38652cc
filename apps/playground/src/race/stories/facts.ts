import { distance } from '../arrival.ts'
import type { Descent } from '../descent.ts'
import type { Fact } from '../story.ts'

/** A racer ends within 0.005 of x. */
export const endsAt = (racer: number, x: number, text: string): Fact => ({
  text,
  holds: (descents, { steps }) => Math.abs(descents[racer].at(steps)[0] - x) < 0.005,
})

/** The greatest distance of two racers at the same step. */
function gap(a: Descent, b: Descent, steps: number): number {
  const other = b.path(steps)
  return Math.max(...a.path(steps).map((point, t) => distance(point, other[t])))
}

/** Two racers are never so far apart. */
export const keepsWithin = (a: number, b: number, reach: number, text: string): Fact => ({
  text,
  holds: (descents, { steps }) => gap(descents[a], descents[b], steps) < reach,
})

/** Two racers are once farther apart. */
export const strays = (a: number, b: number, reach: number, text: string): Fact => ({
  text,
  holds: (descents, { steps }) => gap(descents[a], descents[b], steps) > reach,
})
