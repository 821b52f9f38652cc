import type { LandscapeView } from '../landscapes.ts'
import { type OptimizerConfig, validationError, withOption } from '../optimizers/config.ts'
import { optimizers } from '../optimizers/registry.ts'
import type { SweptBeta } from '../state.ts'
import { arrivalRadius, gridOf, Swarm, type SwarmSummary, summarize } from './swarm.ts'

/** The learning rates of a sweep, one per column. */
export const rates: readonly number[] = Array.from({ length: 22 }, (_, i) =>
  Number((10 ** (-3 + i / 7)).toPrecision(2)),
)

/** The values of β of a sweep, one per row from the bottom: evenly spaced in log(1 − β). */
export const betas: readonly number[] = Array.from({ length: 13 }, (_, i) =>
  Number((1 - 10 ** (-i / 4)).toFixed(4)),
)

/** The number of cells of a sweep. */
export const cellCount: number = rates.length * betas.length

/** The option on the y axis: the chosen β, or momentum for an optimizer without it. */
export function sweptOption({ name }: OptimizerConfig, beta: SweptBeta): string {
  return beta in optimizers[name].defaults ? beta : 'momentum'
}

/** The symbol of an option on the y axis. */
export const sweptSymbol = (option: string): string =>
  ({ beta1: 'β₁', beta2: 'β₂', momentum: 'μ' })[option] ?? option

/** The options of a cell are invalid. */
interface InvalidOptions {
  /** The library's message. */
  readonly error: string
}

/** One cell of a sweep: its options, and the result of a small swarm with them. */
export interface Cell {
  readonly column: number
  readonly row: number
  readonly config: OptimizerConfig
  readonly result: SwarmSummary | InvalidOptions
}

export const isInvalid = (result: Cell['result']): result is InvalidOptions => 'error' in result

/** Runs a swarm of 64 starts for each cell, one cell per iteration. */
export function* sweep(
  config: OptimizerConfig,
  { landscape, window }: LandscapeView,
  { beta, steps }: { readonly beta: SweptBeta; readonly steps: number },
): Generator<Cell> {
  const starts = gridOf(window, window.length === 1 ? [64] : [8, 8])
  const option = sweptOption(config, beta)
  for (let i = 0; i < cellCount; i++) {
    const [column, row] = [i % rates.length, Math.floor(i / rates.length)]
    const withRate = withOption(config, 'learningRate', rates[column])
    const cellConfig = withOption(withRate, option, betas[row])
    const error = validationError(cellConfig)
    const result = error === undefined ? run(cellConfig) : { error }
    yield { column, row, config: cellConfig, result }
  }

  function run(cellConfig: OptimizerConfig): SwarmSummary {
    const swarm = new Swarm(cellConfig, landscape, starts, arrivalRadius(window))
    while (swarm.steps < steps) swarm.step()
    return summarize(swarm)
  }
}
