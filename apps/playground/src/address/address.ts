import type { RaceState } from '../race/race-state.ts'
import type { SwarmState } from '../swarm/swarm-state.ts'
import type { TrainState } from '../train/train-state.ts'
import { writeQuery } from './query.ts'
import { readRace, writeRace } from './race-code.ts'
import { readSwarm, writeSwarm } from './swarm-code.ts'
import { readTrain, writeTrain } from './train-code.ts'

/** What the page shows. */
export type State = RaceState | SwarmState | TrainState

/** The address of a state: the part from the hash on, so that the page works under any path. */
export function addressOf(state: State): string {
  switch (state.tab) {
    case 'race':
      return `#race?${writeQuery(writeRace(state))}`
    case 'swarm':
      return `#swarm?${writeQuery(writeSwarm(state))}`
    case 'train':
      return `#train?${writeQuery(writeTrain(state))}`
  }
}

/** The state of an address; whatever does not make sense in it is as the page shows it first. */
export function stateOf(hash: string): State {
  const [tab, query = ''] = hash.replace(/^#/, '').split('?')
  const given = new URLSearchParams(query)
  if (tab === 'swarm') return readSwarm(given)
  if (tab === 'train') return readTrain(given)
  return readRace(given)
}
