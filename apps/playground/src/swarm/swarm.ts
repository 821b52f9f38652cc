import { type Landscape, minimaOf } from '@diffgrad/testing/landscapes'
import { field, type Runner } from '../optimizers/field.ts'
import type { Racer } from '../optimizers/racer.ts'

/** Stands for no minimum, and for no step. */
export const nowhere = -1

/**
 * Many starts of one optimizer at once: since its rule is elementwise, all their coordinates are one
 * array. Each start fares as it would alone.
 */
export class Swarm {
  /** The first coordinate of all, then the second of all. */
  readonly points: Float32Array
  /** The number of the minimum that each is at, or `nowhere`. */
  readonly home: Int8Array
  /** The step since which each is at its minimum, or `nowhere`. */
  readonly arrived: Int16Array
  readonly size: number
  readonly #landscape: Landscape
  readonly #minima: readonly (readonly number[])[]
  readonly #reach: number
  readonly #lossScale: number
  readonly #gradients: Float32Array
  readonly #optimizer: Runner
  #steps = 0

  /**
   * @param starts - as `gridOf` gives them.
   * @param reach - how near a minimum is there.
   */
  constructor(
    { name, options, lossScale }: Racer,
    landscape: Landscape,
    starts: Float32Array,
    reach: number,
  ) {
    this.points = starts.slice()
    this.size = starts.length / landscape.minimum.length
    this.home = new Int8Array(this.size)
    this.arrived = new Int16Array(this.size).fill(nowhere)
    this.#landscape = landscape
    this.#minima = minimaOf(landscape)
    this.#reach = reach
    this.#lossScale = lossScale
    this.#gradients = new Float32Array(starts.length)
    this.#optimizer = field[name].create(this.points, options)
    this.#look()
  }

  /** How many steps were taken. */
  get steps(): number {
    return this.#steps
  }

  step(): void {
    this.#steps++
    const { size, points } = this
    const noise = this.#landscape.noise?.(this.#steps)
    const axes = this.#landscape.minimum.length
    const point = new Array<number>(axes)
    for (let i = 0; i < size; i++) {
      for (let axis = 0; axis < axes; axis++) point[axis] = points[axis * size + i]
      const slope = this.#landscape.gradient(point)
      for (let axis = 0; axis < axes; axis++) {
        this.#gradients[axis * size + i] = this.#lossScale * (slope[axis] + (noise?.[axis] ?? 0))
      }
    }
    this.#optimizer.step({ theta: this.#gradients })
    this.#look()
  }

  /** Notes who is at a minimum, and since when. */
  #look(): void {
    const { size, points, home, arrived } = this
    const square = this.#reach ** 2
    const axes = this.#minima[0].length
    for (let i = 0; i < size; i++) {
      let at = nowhere
      for (let k = 0; k < this.#minima.length && at === nowhere; k++) {
        const minimum = this.#minima[k]
        let distance = 0
        for (let axis = 0; axis < axes; axis++) {
          distance += (points[axis * size + i] - minimum[axis]) ** 2
        }
        if (distance < square) at = k
      }
      if (at === nowhere) arrived[i] = nowhere
      else if (arrived[i] === nowhere || home[i] !== at) arrived[i] = this.#steps
      home[i] = at
    }
  }
}

/** How near a minimum counts as there, in a window. */
export const reachIn = ([[low, high]]: readonly (readonly [number, number])[]): number =>
  (high - low) / 100
