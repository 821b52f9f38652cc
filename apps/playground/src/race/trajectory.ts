import type { ArraysOptimizer } from '@diffgrad/arrays'
import type { Landscape } from '@diffgrad/testing/landscapes'
import { landscapeViews, lossAboveMinimum } from '../landscapes.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { optimizers } from '../optimizers/registry.ts'
import type { StepInputs, Vectors } from '../optimizers/step-equations.ts'
import type { RaceState } from '../state.ts'

/** The values inside an optimizer at one step. */
export interface Internals {
  readonly inputs: StepInputs
  /**
   * θ and the optimizer state after the step, the intermediates of the rule and `effectiveStep`, and the evaluation
   * point as `average`, by the names of core.
   */
  readonly results: Vectors
}

/**
 * The path of one optimizer down a landscape: of its parameters, or of the average of a rule with an evaluation
 * point. Steps are computed when first asked for, and kept.
 */
export class Trajectory {
  readonly #landscape: Landscape
  readonly #lossScale: number
  readonly #theta: Float64Array
  readonly #optimizer: ArraysOptimizer
  readonly #evaluatesAverage: boolean
  readonly #inspected: boolean
  readonly #points: (readonly number[])[]
  readonly #losses: number[]
  readonly #internals: Internals[] = []

  /**
   * @param options.inspected - record `internals`, which takes longer than the step itself.
   * @throws RangeError naming an option that is out of range.
   */
  constructor(
    { name, options, lossScale }: OptimizerConfig,
    landscape: Landscape,
    start: readonly number[],
    { inspected = false }: { readonly inspected?: boolean } = {},
  ) {
    this.#landscape = landscape
    this.#lossScale = lossScale
    this.#theta = Float64Array.from(start)
    this.#optimizer = optimizers[name].create(this.#theta, options)
    this.#evaluatesAverage = optimizers[name].rule.evaluationPoint !== undefined
    this.#inspected = inspected
    this.#points = [[...start]]
    this.#losses = [lossAboveMinimum(landscape, start)]
  }

  /** The point after t steps. */
  at(t: number): readonly number[] {
    while (this.#points.length <= t) this.#step()
    return this.#points[t]
  }

  /** The points from the start to step t. */
  path(t: number): readonly (readonly number[])[] {
    this.at(t)
    return this.#points.slice(0, t + 1)
  }

  /** The losses above the minimum, from the start to step t. */
  losses(t: number): readonly number[] {
    this.at(t)
    return this.#losses.slice(0, t + 1)
  }

  /** The point at a fractional step, interpolated linearly. */
  interpolate(t: number): readonly number[] {
    const before = this.at(Math.floor(t))
    const after = this.at(Math.ceil(t))
    return before.map((x, i) => x + (after[i] - x) * (t - Math.floor(t)))
  }

  /** The internals of steps 1 to t. Empty unless inspected. */
  internals(t: number): readonly Internals[] {
    this.at(t)
    return this.#internals.slice(0, t)
  }

  #step(): void {
    const point = [...this.#theta]
    const t = this.#points.length
    const noise = this.#landscape.noise?.(t)
    const gradient = this.#landscape.gradient(point)
    const theta = Float64Array.from(gradient, (g, i) => this.#lossScale * (g + (noise?.[i] ?? 0)))
    if (!this.#inspected) this.#optimizer.step({ theta })
    else {
      const { scalars = {} } = this.#optimizer.stateDict().parameters.theta
      const values = { g: [...theta], ...this.#values() }
      const intermediates = this.#optimizer.inspect({ theta })
      this.#optimizer.step({ theta })
      this.#internals.push({
        inputs: { values, scalars },
        results: {
          ...vectors(Object.entries(intermediates).map(([name, { theta }]) => [name, theta])),
          ...this.#values(),
          ...(this.#evaluatesAverage && { average: this.#evaluationPoint() }),
        },
      })
    }
    const next = this.#evaluationPoint()
    this.#points.push(next)
    this.#losses.push(lossAboveMinimum(this.#landscape, next))
  }

  /** θ and its optimizer state. State that starts at θ is θ before the first step. */
  #values(): Vectors {
    const { startsAsTheta = [] } = this.#optimizer.rule
    const { step, state } = this.#optimizer.stateDict().parameters.theta
    const first = step === 0 ? startsAsTheta.map((name) => [name, this.#theta] as const) : []
    return vectors([['theta', this.#theta], ...Object.entries(state), ...first])
  }

  #evaluationPoint(): readonly number[] {
    if (!this.#evaluatesAverage) return [...this.#theta]
    this.#optimizer.swapAverage()
    const average = [...this.#theta]
    this.#optimizer.swapAverage()
    return average
  }
}

const vectors = (entries: readonly (readonly [string, Iterable<number>])[]): Vectors =>
  Object.fromEntries(entries.map(([name, values]) => [name, [...values]]))

/** The trajectories of a race. Those that a change of state does not affect are reused. */
export class TrajectoryCache {
  #cached: ReadonlyMap<string, Trajectory> = new Map()

  of({ optimizers, landscape, start, selected }: RaceState): readonly Trajectory[] {
    const used = new Map<string, Trajectory>()
    const trajectories = optimizers.map((config, i) => {
      const inspected = i === selected
      const key = JSON.stringify([config, landscape, start, inspected])
      const trajectory =
        used.get(key) ??
        this.#cached.get(key) ??
        new Trajectory(config, landscapeViews[landscape].landscape, start, { inspected })
      used.set(key, trajectory)
      return trajectory
    })
    this.#cached = used
    return trajectories
  }
}
