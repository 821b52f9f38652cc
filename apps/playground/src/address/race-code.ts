import { courses } from '../race/course.ts'
import { mostRacers, mostSteps, openRace, type RaceState } from '../race/race-state.ts'
import { stories } from '../race/stories.ts'
import { type Query, wholeFrom } from './query.ts'
import { readRacers, writeRacer } from './racer-code.ts'

/** The state of a story at its start. */
export const told = (story: string): RaceState => ({
  ...stories[story].race,
  tab: 'race',
  at: 0,
  story,
})

/** Writes a race. One that tells a story is written as its name. */
export function writeRace(state: RaceState): Query {
  const { course, start, racers, steps, at, speed, selected, story } = state
  const view: Query = [
    ['at', at],
    ['speed', speed],
    ['see', selected],
  ]
  if (story !== undefined) return [['story', story], ...view]
  return [
    ['on', course],
    ['from', start.join(',')],
    ['steps', steps],
    ...racers.map((racer) => ['o', writeRacer(racer)] as const),
    ...view,
  ]
}

/** Reads what `writeRace` wrote; whatever does not make sense is as in the race that is shown first. */
export function readRace(query: URLSearchParams): RaceState {
  const story = query.get('story')
  const base = story !== null && Object.hasOwn(stories, story) ? told(story) : customRace(query)
  return {
    ...base,
    at: wholeFrom(query, 'at', [0, base.steps], base.at),
    speed: wholeFrom(query, 'speed', [1, 240], base.speed),
    selected: wholeFrom(query, 'see', [0, base.racers.length - 1], base.selected),
  }
}

function customRace(query: URLSearchParams): RaceState {
  if ([...query.keys()].length === 0) return told(Object.keys(stories)[0])
  const on = query.get('on') ?? ''
  const course = Object.hasOwn(courses, on) ? on : openRace.course
  const { window, start } = courses[course]
  const from = (query.get('from') ?? '').split(',').map((x) => (x === '' ? Number.NaN : Number(x)))
  const fits = from.length === window.length && from.every(Number.isFinite)
  const racers = readRacers(query, mostRacers)
  return {
    ...openRace,
    course,
    start: fits ? from : start,
    racers: racers.length > 0 ? racers : openRace.racers,
    steps: wholeFrom(query, 'steps', [1, mostSteps], openRace.steps),
    selected: 0,
  }
}
