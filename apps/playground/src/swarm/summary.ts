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
  const byStep = new Map<number, number>()
  let [there, lost] = [0, 0]
  for (let i = 0; i < size; i++) {
    const step = arrived[i]
    if (step !== nowhere) {
      there++
      byStep.set(step, (byStep.get(step) ?? 0) + 1)
    } else if (!isFiniteAt(points, size, i)) lost++
  }
  let before = 0
  const steps = [...byStep].sort(([a], [b]) => a - b)
  const median = steps.find(([, count]) => {
    before += count
    return 2 * before >= there
  })
  return { share: there / size, median: median?.[0], lost: lost / size }
}

/** Whether all coordinates of a point are finite. */
export function isFiniteAt(points: Float32Array, size: number, i: number): boolean {
  for (let k = i; k < points.length; k += size) if (!Number.isFinite(points[k])) return false
  return true
}
