import { type Racer, racer } from '../optimizers/racer.ts'

/** Everything that a swarm shows, but for what is computed from it. */
export interface SwarmState {
  readonly tab: 'swarm'
  /** A key of `courses`. */
  readonly course: string
  /** One to four. */
  readonly racers: readonly Racer[]
  /** Thousands of starts of the racers as they are, or a few starts of them at many settings. */
  readonly mode: 'starts' | 'sweep'
  /** Of starts: where each began, coloured by where it ended; or where all of them are. */
  readonly view: 'map' | 'cloud'
  /** Of a sweep: which β is varied beside the learning rate. */
  readonly beta: 'beta1' | 'beta2'
  readonly steps: number
}

/** How many swarms are shown side by side. */
export const mostSwarms = 4

/** The longest way of a swarm. */
export const mostSwarmSteps = 2000

/** What is shown first. */
export const openSwarm: SwarmState = {
  tab: 'swarm',
  course: 'himmelblau',
  racers: [
    racer('diffgrad', { learningRate: 0.1 }),
    racer('adam', { learningRate: 0.1 }),
    racer('adam', { learningRate: 0.05 }),
    racer('diffgrad', { learningRate: 0.1, version: 2 }),
  ],
  mode: 'starts',
  view: 'map',
  beta: 'beta1',
  steps: 300,
}
