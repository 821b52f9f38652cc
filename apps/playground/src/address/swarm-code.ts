import { courses } from '../race/course.ts'
import { mostSwarmSteps, mostSwarms, openSwarm, type SwarmState } from '../swarm/swarm-state.ts'
import { type Query, wholeFrom, wordFrom } from './query.ts'
import { readRacers, writeRacer } from './racer-code.ts'

export const writeSwarm = (state: SwarmState): Query => [
  ['on', state.course],
  ['mode', state.mode],
  ['view', state.view],
  ['beta', state.beta],
  ['steps', state.steps],
  ...state.racers.map((racer) => ['o', writeRacer(racer)] as const),
]

/** Reads what `writeSwarm` wrote; whatever does not make sense is as it is shown first. */
export function readSwarm(query: URLSearchParams): SwarmState {
  const on = query.get('on') ?? ''
  const mode = wordFrom(query, 'mode', ['starts', 'sweep'])
  const known = Object.hasOwn(courses, on) && (mode === 'sweep' || courses[on].window.length === 2)
  const racers = readRacers(query, mostSwarms)
  return {
    tab: 'swarm',
    course: known ? on : openSwarm.course,
    mode,
    view: wordFrom(query, 'view', ['map', 'cloud']),
    beta: wordFrom(query, 'beta', ['beta1', 'beta2']),
    steps: wholeFrom(query, 'steps', [1, mostSwarmSteps], openSwarm.steps),
    racers: racers.length > 0 ? racers : openSwarm.racers,
  }
}
