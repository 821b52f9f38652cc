import { type Racer, racer } from '../optimizers/racer.ts'

/** What computes the gradients. */
export type Engine = 'wasm' | 'webgpu'

/** Everything that a training shows, but for what comes of it. */
export interface TrainState {
  readonly tab: 'train'
  readonly engine: Engine
  /** Two, side by side. */
  readonly racers: readonly [Racer, Racer]
  readonly steps: number
  /** Draws the initial weights and the batches, which both share. */
  readonly seed: number
}

/** The longest training. */
export const mostTrainSteps = 2000

/** What is shown first. */
export const openTrain: TrainState = {
  tab: 'train',
  engine: 'wasm',
  racers: [racer('diffgrad', { learningRate: 0.01 }), racer('adam', { learningRate: 0.005 })],
  steps: 300,
  seed: 1,
}
