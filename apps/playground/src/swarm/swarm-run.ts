import { type LandscapeView, landscapeViews } from '../landscapes.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import type { SwarmState, SweptBeta } from '../state.ts'
import { arrivalRadius, gridOf, Swarm } from './swarm.ts'
import { type Cell, cellCount, sweep } from './sweep.ts'

/** The grid of starts has this many rows and columns. */
export const gridSize = 200

/** What one panel shows. */
export type PanelContent = StartsContent | SweepContent

interface StartsContent {
  readonly mode: 'starts'
  readonly view: SwarmState['view']
  readonly swarm: Swarm
  readonly landscapeView: LandscapeView
  readonly steps: number
}

interface SweepContent {
  readonly mode: 'sweep'
  readonly cells: readonly Cell[]
  /** The current config of the optimizer, which may be one of the cells. */
  readonly config: OptimizerConfig
  readonly beta: SweptBeta
}

/** A computation in small increments, so that the page stays responsive. */
export interface SwarmRun {
  /** Computes the next increment of every panel; false if the run is finished. */
  advance(): boolean
  /** In [0, 1]. */
  readonly progress: number
  /** The progress as text. */
  readonly status: string
  readonly panels: (state: SwarmState) => readonly PanelContent[]
}

export const createRun = (state: SwarmState): SwarmRun =>
  state.mode === 'starts' ? startsRun(state) : sweepRun(state)

/** One swarm per optimizer; an increment is one step. */
function startsRun({ optimizers, landscape, steps }: SwarmState): SwarmRun {
  const landscapeView = landscapeViews[landscape]
  const { window } = landscapeView
  const starts = gridOf(window, [gridSize, gridSize])
  const swarms = optimizers.map(
    (config) => new Swarm(config, landscapeView.landscape, starts, arrivalRadius(window)),
  )
  return {
    advance() {
      if (swarms[0].steps >= steps) return false
      for (const swarm of swarms) swarm.step()
      return true
    },
    get progress() {
      return swarms[0].steps / steps
    },
    get status() {
      return `step ${swarms[0].steps} of ${steps}`
    },
    panels: ({ view }) =>
      swarms.map((swarm) => ({ mode: 'starts', view, swarm, landscapeView, steps })),
  }
}

/** One sweep per optimizer; an increment is one cell. */
function sweepRun({ optimizers, landscape, steps, beta }: SwarmState): SwarmRun {
  const sweeps = optimizers.map((config) => {
    const cells: Cell[] = []
    return { cells, remaining: sweep(config, landscapeViews[landscape], { beta, steps }) }
  })
  let finished = false
  return {
    advance() {
      for (const { cells, remaining } of sweeps) {
        const next = remaining.next()
        if (next.done) finished = true
        else cells.push(next.value)
      }
      return !finished
    },
    get progress() {
      return finished ? 1 : sweeps[0].cells.length / cellCount
    },
    get status() {
      return finished ? 'all settings tried' : `${sweeps[0].cells.length} settings tried`
    },
    panels: (state) =>
      sweeps.map(({ cells }, i) => ({ mode: 'sweep', cells, config: state.optimizers[i], beta })),
  }
}
