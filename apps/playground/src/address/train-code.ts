import { mostTrainSteps, openTrain, type TrainState } from '../train/train-state.ts'
import { type Query, wholeFrom, wordFrom } from './query.ts'
import { readRacers, writeRacer } from './racer-code.ts'

export const writeTrain = (state: TrainState): Query => [
  ['engine', state.engine],
  ['steps', state.steps],
  ['seed', state.seed],
  ...state.racers.map((racer) => ['o', writeRacer(racer)] as const),
]

/** Reads what `writeTrain` wrote; whatever does not make sense is as it is shown first. */
export function readTrain(query: URLSearchParams): TrainState {
  // Networks are trained on the loss as it is.
  const [first, second] = readRacers(query, 2).map((racer) => ({ ...racer, lossScale: 1 }))
  return {
    tab: 'train',
    engine: wordFrom(query, 'engine', ['wasm', 'webgpu']),
    racers: [first ?? openTrain.racers[0], second ?? openTrain.racers[1]],
    steps: wholeFrom(query, 'steps', [1, mostTrainSteps], openTrain.steps),
    seed: wholeFrom(query, 'seed', [0, 2 ** 31 - 1], openTrain.seed),
  }
}
