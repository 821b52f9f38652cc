import type { ArraysOptimizer } from '@diffgrad/arrays'
import { type Landscape, minimaOf } from '@diffgrad/testing/landscapes'
import type { Interval } from '../landscapes.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { optimizers } from '../optimizers/registry.ts'

/** In `minimumAt` and `arrivalStep`: the member is at no global minimum. */
export const none = -1

/**
 * One optimizer from many starts at once. Update rules are elementwise, so the coordinates of all
 * members are one parameter, and each member moves as if it were alone.
 */
export class Swarm {
  /**
   * Where the loss of each member is evaluated: its parameters, or the average of a rule with an evaluation point. The
   * first coordinate of all members, then the second of all.
   */
  readonly points: Float32Array
  /** For each member, the index of the global minimum that it is at, or `none`. */
  readonly minimumAt: Int8Array
  /** For each member, the step since which it is at its minimum, or `none`. */
  readonly arrivalStep: Int16Array
  /** The number of members. */
  readonly size: number
  readonly #landscape: Landscape
  readonly #minima: readonly (readonly number[])[]
  readonly #radius: number
  readonly #lossScale: number
  readonly #gradients: Float32Array
  /** The parameters, at which gradients are computed. */
  readonly #theta: Float32Array
  readonly #optimizer: ArraysOptimizer
  #steps = 0

  /**
   * @param starts - in the layout of `points`, see `gridOf`.
   * @param radius - a member within this distance of a minimum is at it, see `arrivalRadius`.
   * @throws RangeError naming an option that is out of range.
   */
  constructor(
    { name, options, lossScale }: OptimizerConfig,
    landscape: Landscape,
    starts: Float32Array,
    radius: number,
  ) {
    this.#theta = starts.slice()
    const { create, rule } = optimizers[name]
    this.points = rule.evaluationPoint ? starts.slice() : this.#theta
    this.size = starts.length / landscape.minimum.length
    this.minimumAt = new Int8Array(this.size)
    this.arrivalStep = new Int16Array(this.size).fill(none)
    this.#landscape = landscape
    this.#minima = minimaOf(landscape)
    this.#radius = radius
    this.#lossScale = lossScale
    this.#gradients = new Float32Array(starts.length)
    this.#optimizer = create(this.#theta, options)
    this.#updateArrivals()
  }

  /** The number of steps so far. */
  get steps(): number {
    return this.#steps
  }

  step(): void {
    this.#steps++
    const { size } = this
    const noise = this.#landscape.noise?.(this.#steps)
    const axes = this.#landscape.minimum.length
    const point = new Array<number>(axes)
    for (let i = 0; i < size; i++) {
      for (let axis = 0; axis < axes; axis++) point[axis] = this.#theta[axis * size + i]
      const gradient = this.#landscape.gradient(point)
      for (let axis = 0; axis < axes; axis++) {
        const g = gradient[axis] + (noise?.[axis] ?? 0)
        this.#gradients[axis * size + i] = this.#lossScale * g
      }
    }
    this.#optimizer.step({ theta: this.#gradients })
    if (this.points !== this.#theta) {
      this.#optimizer.swapAverage()
      this.points.set(this.#theta)
      this.#optimizer.swapAverage()
    }
    this.#updateArrivals()
  }

  #updateArrivals(): void {
    const { size, points, minimumAt, arrivalStep } = this
    const squaredRadius = this.#radius ** 2
    const axes = this.#minima[0].length
    for (let i = 0; i < size; i++) {
      let found = none
      for (let k = 0; k < this.#minima.length && found === none; k++) {
        const minimum = this.#minima[k]
        let squaredDistance = 0
        for (let axis = 0; axis < axes; axis++) {
          squaredDistance += (points[axis * size + i] - minimum[axis]) ** 2
        }
        if (squaredDistance < squaredRadius) found = k
      }
      if (found === none) arrivalStep[i] = none
      else if (arrivalStep[i] === none || minimumAt[i] !== found) arrivalStep[i] = this.#steps
      minimumAt[i] = found
    }
  }
}

/** The distance below which a point counts as at a minimum: a hundredth of the window's width. */
export const arrivalRadius = ([[low, high]]: readonly Interval[]): number => (high - low) / 100

/**
 * The points of a regular grid that fills a window, row by row from its top left corner.
 *
 * @param counts - number of points along each axis.
 * @returns the first coordinate of all points, then the second of all.
 */
export function gridOf(window: readonly Interval[], counts: readonly number[]): Float32Array {
  const size = counts.reduce((product, count) => product * count, 1)
  const points = new Float32Array(window.length * size)
  for (let i = 0; i < size; i++) {
    const [column, row] = [i % counts[0], Math.floor(i / counts[0])]
    const shares = [(column + 0.5) / counts[0], 1 - (row + 0.5) / (counts[1] ?? 1)]
    for (const [axis, [low, high]] of window.entries()) {
      points[axis * size + i] = low + (high - low) * shares[axis]
    }
  }
  return points
}

/** How many members of a swarm are at a global minimum. */
export interface SwarmSummary {
  /** The share of members at a global minimum, in [0, 1]. */
  readonly arrived: number
  /** The step by which half of those had arrived; undefined if there are none. */
  readonly medianStep: number | undefined
  /** The share of members with a NaN or infinite coordinate, in [0, 1]. */
  readonly diverged: number
}

export function summarize({
  arrivalStep,
  points,
  size,
}: Pick<Swarm, 'arrivalStep' | 'points' | 'size'>): SwarmSummary {
  const countByStep = new Map<number, number>()
  let [arrived, diverged] = [0, 0]
  for (let i = 0; i < size; i++) {
    const step = arrivalStep[i]
    if (step !== none) {
      arrived++
      countByStep.set(step, (countByStep.get(step) ?? 0) + 1)
    } else if (!isFiniteAt(points, size, i)) diverged++
  }
  let cumulative = 0
  const median = [...countByStep]
    .toSorted(([a], [b]) => a - b)
    .find(([, count]) => {
      cumulative += count
      return 2 * cumulative >= arrived
    })
  return { arrived: arrived / size, medianStep: median?.[0], diverged: diverged / size }
}

/** Whether all coordinates of member i are finite. */
export function isFiniteAt(points: Float32Array, size: number, i: number): boolean {
  for (let k = i; k < points.length; k += size) if (!Number.isFinite(points[k])) return false
  return true
}
