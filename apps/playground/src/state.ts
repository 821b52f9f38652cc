import { configure, type OptimizerConfig } from './optimizers/config.ts'

// The state of each tab: everything that its URL holds, and nothing that is computed from it.

/** The state of the page: the state of the visible tab. */
export type State = RaceState | SwarmState | TrainState | FineTuneState | EvidenceState

/** The race tab: optimizers descend one landscape from one start. */
export interface RaceState {
  readonly tab: 'race'
  /** A key of `landscapeViews`. */
  readonly landscape: string
  readonly start: readonly number[]
  /** From 1 to `maxRaceOptimizers`. */
  readonly optimizers: readonly OptimizerConfig[]
  /** The length of the race. */
  readonly steps: number
  /** The step that is shown, in [0, steps]. */
  readonly currentStep: number
  /** In steps per second. */
  readonly speed: number
  /** The index of the optimizer whose internals are shown. */
  readonly selected: number
  /** A key of `stories`, until the user changes the race. */
  readonly story: string | undefined
}

export const maxRaceOptimizers = 6
export const maxRaceSteps = 2000

/** The defaults of a race that is not a story. */
export const defaultRace: RaceState = {
  tab: 'race',
  landscape: 'beale',
  start: [1, 1.5],
  optimizers: [
    configure('diffgrad', { learningRate: 0.1 }),
    configure('adam', { learningRate: 0.1 }),
    configure('adam', { learningRate: 0.05 }),
  ],
  steps: 300,
  currentStep: 0,
  speed: 60,
  selected: 0,
  story: undefined,
}

/** The second axis of a sweep; the first is the learning rate. */
export type SweptBeta = 'beta1' | 'beta2'

/** The swarm tab: each optimizer runs from thousands of starts, or with hundreds of settings. */
export interface SwarmState {
  readonly tab: 'swarm'
  /** A key of `landscapeViews`; it has two variables in mode `starts`. */
  readonly landscape: string
  /** From 1 to `maxSwarms`. */
  readonly optimizers: readonly OptimizerConfig[]
  /** `starts`: a grid of starts with the configured options. `sweep`: a grid of options. */
  readonly mode: 'starts' | 'sweep'
  /** In mode `starts`. `map`: each start, colored by where it ended. `cloud`: the current points. */
  readonly view: 'map' | 'cloud'
  readonly beta: SweptBeta
  readonly steps: number
}

export const maxSwarms = 4
export const maxSwarmSteps = 2000

export const defaultSwarm: SwarmState = {
  tab: 'swarm',
  landscape: 'himmelblau',
  optimizers: [
    configure('diffgrad', { learningRate: 0.1 }),
    configure('adam', { learningRate: 0.1 }),
    configure('adam', { learningRate: 0.05 }),
    configure('diffgrad', { learningRate: 0.1, version: 2 }),
  ],
  mode: 'starts',
  view: 'map',
  beta: 'beta1',
  steps: 300,
}

/** The ONNX Runtime execution provider that computes the gradients. */
export type ExecutionProvider = 'wasm' | 'webgpu'

/** The train tab: two optimizers train the same network side by side. */
export interface TrainState {
  readonly tab: 'train'
  readonly provider: ExecutionProvider
  readonly optimizers: readonly [OptimizerConfig, OptimizerConfig]
  readonly steps: number
  /** Seeds the initial weights and the batches, which both trainings share. */
  readonly seed: number
}

export const maxTrainSteps = 2000

export const defaultTraining: TrainState = {
  tab: 'train',
  provider: 'wasm',
  optimizers: [
    configure('diffgrad', { learningRate: 0.01 }),
    configure('adam', { learningRate: 0.005 }),
  ],
  steps: 300,
  seed: 1,
}

/** What is trained: the last layer alone, or with it low-rank adapters of all other weights. */
type FineTuneMethod = 'head' | 'lora'

/** The fine-tune tab: a model of the user's learns classes of the user's. Files are no part of its state. */
export interface FineTuneState {
  readonly tab: 'fine-tune'
  readonly method: FineTuneMethod
  /** Of the adapters. */
  readonly rank: number
  readonly provider: ExecutionProvider
  /** The steps that the button adds. */
  readonly steps: number
  readonly batch: number
  /** Seeds the head, the adapters, the split and the batches. */
  readonly seed: number
  readonly optimizer: OptimizerConfig
}

export const maxFineTuneSteps = 10_000
export const maxRank = 64
export const maxBatch = 256

export const defaultFineTuning: FineTuneState = {
  tab: 'fine-tune',
  method: 'lora',
  rank: 4,
  provider: 'wasm',
  steps: 100,
  batch: 16,
  seed: 1,
  optimizer: configure('diffgrad', { learningRate: 0.002 }),
}

/** The evidence tab: the published figures on CIFAR-10, measured ones, and simulated draws. */
export interface EvidenceState {
  readonly tab: 'evidence'
  /** The number of simulated draws so far, from 1 to `maxDraws`; the last one is shown. */
  readonly draws: number
  /** The runs that each figure of a draw is the mean of: 1, 5 or 25. */
  readonly runs: number
}

export const maxDraws = 10_000

export const defaultEvidence: EvidenceState = { tab: 'evidence', draws: 1, runs: 1 }
