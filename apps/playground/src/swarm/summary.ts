import { nowhere, type Swarm } from './swarm.ts'

/** How a swarm fares. */
export interface Summary {
  /** The share that is at a global minimum. */
  readonly share: number
  /** The step by which half of those were there; undefined if there are none. */
  readonly median: number | undefined
  /** The share that is lost: not a number, or infinite. */
  readonly lost: number
}

export function summaryOf({
  arrived,
  points,
  size,
}: Pick<Swarm, 'arrived' | 'points' | 'size'>): Summary {
  const there = arrived.filter((step) => step !== nowhere).sort()
  let lost = 0
  for (let i = 0; i < size; i++) if (!isFiniteAt(points, size, i)) lost++
  return {
    share: there.length / size,
    median: there.length > 0 ? there[there.length >> 1] : undefined,
    lost: lost / size,
  }
}

/** Whether all coordinates of a point are finite. */
export function isFiniteAt(points: Float32Array, size: number, i: number): boolean {
  for (let k = i; k < points.length; k += size) if (!Number.isFinite(points[k])) return false
  return true
}
