import type { Landscape } from '@diffgrad/testing/landscapes'
import { field, type Runner } from '../optimizers/field.ts'
import type { Racer } from '../optimizers/racer.ts'
import { excess } from './course.ts'

/** What happened inside an optimizer at one step, one number an axis. */
export interface Inside {
  /** Absent where the rule has no friction. */
  readonly xi: readonly number[] | undefined
  /** Absent where nothing of the kind is kept. */
  readonly m: readonly number[] | undefined
  readonly v: readonly number[] | undefined
  readonly effectiveStep: readonly number[]
}

/** The way of one optimizer down a landscape: it goes on when it is asked, and forgets nothing. */
export class Descent {
  readonly #landscape: Landscape
  readonly #lossScale: number
  readonly #theta: Float64Array
  readonly #optimizer: Runner
  readonly #inspected: boolean
  readonly #points: (readonly number[])[]
  readonly #losses: number[]
  readonly #inside: Inside[] = []

  /**
   * @param inspected - whether `inside` is kept, which takes longer than the step itself.
   * @throws RangeError naming an option of the racer that is out of range.
   */
  constructor(
    { name, options, lossScale }: Racer,
    landscape: Landscape,
    start: readonly number[],
    { inspected = false }: { readonly inspected?: boolean } = {},
  ) {
    this.#landscape = landscape
    this.#lossScale = lossScale
    this.#theta = Float64Array.from(start)
    this.#optimizer = field[name].create(this.#theta, options)
    this.#inspected = inspected
    this.#points = [[...start]]
    this.#losses = [excess(landscape, start)]
  }

  /** Where it is after t steps, which are taken if they have not been. */
  at(t: number): readonly number[] {
    while (this.#points.length <= t) this.#step()
    return this.#points[t]
  }

  /** All points from the start to step t. */
  path(t: number): readonly (readonly number[])[] {
    this.at(t)
    return this.#points.slice(0, t + 1)
  }

  /** By how much each point from the start to step t lies above the lowest of the landscape. */
  losses(t: number): readonly number[] {
    this.at(t)
    return this.#losses.slice(0, t + 1)
  }

  /** Where it is between two steps: on the line from one to the next. */
  between(t: number): readonly number[] {
    const before = this.at(Math.floor(t))
    const after = this.at(Math.ceil(t))
    return before.map((x, i) => x + (after[i] - x) * (t - Math.floor(t)))
  }

  /** What happened inside at steps 1 to t. Empty unless inspected. */
  inside(t: number): readonly Inside[] {
    this.at(t)
    return this.#inside.slice(0, t)
  }

  #step(): void {
    const point = [...this.#theta]
    const t = this.#points.length
    const noise = this.#landscape.noise?.(t)
    const slope = this.#landscape.gradient(point)
    const theta = Float64Array.from(slope, (g, i) => this.#lossScale * (g + (noise?.[i] ?? 0)))
    const shown = this.#inspected ? this.#optimizer.inspect({ theta }) : undefined
    this.#optimizer.step({ theta })
    if (shown) {
      const { m, v } = this.#optimizer.stateDict().parameters.theta.state
      const listed = (values: Iterable<number> | undefined) => values && [...values]
      this.#inside.push({
        xi: listed(shown.xi?.theta),
        m: listed(m),
        v: listed(v),
        effectiveStep: [...shown.effectiveStep.theta],
      })
    }
    const next = [...this.#theta]
    this.#points.push(next)
    this.#losses.push(excess(this.#landscape, next))
  }
}
