import { complaint } from '../optimizers/complaint.ts'
import { field } from '../optimizers/field.ts'
import { type Racer, withOption } from '../optimizers/racer.ts'
import type { Course } from '../race/course.ts'
import { gridOf } from './grid.ts'
import { type Summary, summaryOf } from './summary.ts'
import { reachIn, Swarm } from './swarm.ts'

/** The learning rates of a sweep, from left to right. */
export const rates: readonly number[] = Array.from({ length: 22 }, (_, i) =>
  Number((10 ** (-3 + i / 7)).toPrecision(2)),
)

/** The values of β of a sweep, from bottom to top: even in the length of the memory. */
export const betas: readonly number[] = Array.from({ length: 13 }, (_, i) =>
  Number((1 - 10 ** (-i / 4)).toFixed(4)),
)

/** How many settings a sweep tries. */
export const settings: number = rates.length * betas.length

/** What a sweep varies beside the learning rate: for optimizers without β, the momentum. */
export function secondOption({ name }: Racer, beta: 'beta1' | 'beta2'): string {
  return beta in field[name].defaults ? beta : 'momentum'
}

/** What the library has against a setting. */
export interface Refusal {
  readonly complaint: string
}

/** One setting of a sweep, and how a small swarm fared with it, unless the library refuses it. */
export interface Cell {
  readonly column: number
  readonly row: number
  readonly racer: Racer
  readonly outcome: Summary | Refusal
}

export const isRefused = (outcome: Summary | Refusal): outcome is Refusal => 'complaint' in outcome

/** The racer with the settings of a cell. */
const settled = (racer: Racer, beta: 'beta1' | 'beta2', column: number, row: number): Racer =>
  withOption(
    withOption(racer, 'learningRate', rates[column]),
    secondOption(racer, beta),
    betas[row],
  )

/** Lets a small swarm run at every setting, cell by cell. */
export function* sweep(
  racer: Racer,
  { landscape, window }: Course,
  { beta, steps }: { readonly beta: 'beta1' | 'beta2'; readonly steps: number },
): Generator<Cell> {
  const starts = gridOf(window, window.length === 1 ? [64] : [8, 8])
  for (let i = 0; i < settings; i++) {
    const [column, row] = [i % rates.length, Math.floor(i / rates.length)]
    const tried = settled(racer, beta, column, row)
    const against = complaint(tried)
    const outcome = against === undefined ? fare(tried) : { complaint: against }
    yield { column, row, racer: tried, outcome }
  }

  function fare(tried: Racer): Summary {
    const swarm = new Swarm(tried, landscape, starts, reachIn(window))
    while (swarm.steps < steps) swarm.step()
    return summaryOf(swarm)
  }
}
