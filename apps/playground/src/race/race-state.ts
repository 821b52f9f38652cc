import { type Racer, racer } from '../optimizers/racer.ts'

/** Everything that a race shows, but for what is computed from it. */
export interface RaceState {
  readonly tab: 'race'
  /** A key of `courses`. */
  readonly course: string
  readonly start: readonly number[]
  /** One to six. */
  readonly racers: readonly Racer[]
  /** How long the race is. */
  readonly steps: number
  /** Where it stands: a step from 0 to `steps`. */
  readonly at: number
  /** Steps a second. */
  readonly speed: number
  /** The racer whose inside is shown. */
  readonly selected: number
  /** The story that is told, until something is changed. */
  readonly story: string | undefined
}

/** How many can race at once. */
export const mostRacers = 6

/** The longest race. */
export const mostSteps = 2000

/** A race without a story. */
export const openRace: RaceState = {
  tab: 'race',
  course: 'beale',
  start: [1, 1.5],
  racers: [
    racer('diffgrad', { learningRate: 0.1 }),
    racer('adam', { learningRate: 0.1 }),
    racer('adam', { learningRate: 0.05 }),
  ],
  steps: 300,
  at: 0,
  speed: 60,
  selected: 0,
  story: undefined,
}
