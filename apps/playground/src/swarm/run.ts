import type { Racer } from '../optimizers/racer.ts'
import { type Course, courses } from '../race/course.ts'
import { gridOf } from './grid.ts'
import { reachIn, Swarm } from './swarm.ts'
import type { SwarmState } from './swarm-state.ts'
import { type Cell, settings, sweep } from './sweep.ts'

/** How many starts an axis. */
export const side = 200

/** What one panel shows. */
export type Panorama =
  | {
      readonly of: 'starts'
      readonly view: 'map' | 'cloud'
      readonly swarm: Swarm
      readonly course: Course
      readonly steps: number
    }
  | {
      readonly of: 'sweep'
      readonly cells: readonly Cell[]
      readonly racer: Racer
      readonly beta: 'beta1' | 'beta2'
    }

/** A piece of work at a time, for all panels alike. */
export interface SwarmRun {
  /** Works for a moment; false once there is nothing left to do. */
  work(): boolean
  /** How far it is, from 0 to 1. */
  readonly progress: number
  /** In words. */
  readonly standing: string
  readonly panoramas: (state: SwarmState) => readonly Panorama[]
}

/** All starts of all optimizers, a step at a time. */
export function startsRun({ racers, course: on, steps }: SwarmState): SwarmRun {
  const course = courses[on]
  const starts = gridOf(course.window, [side, side])
  const swarms = racers.map(
    (racer) => new Swarm(racer, course.landscape, starts, reachIn(course.window)),
  )
  const taken = (): number => swarms[0].steps
  return {
    work() {
      if (taken() >= steps) return false
      for (const swarm of swarms) swarm.step()
      return true
    },
    get progress() {
      return taken() / steps
    },
    get standing() {
      return `step ${taken()} of ${steps}`
    },
    panoramas: ({ view }) => swarms.map((swarm) => ({ of: 'starts', view, swarm, course, steps })),
  }
}

/** A sweep of each optimizer, a setting at a time. */
export function sweepRun({ racers, course, steps, beta }: SwarmState): SwarmRun {
  const sweeps = racers.map((racer) => {
    const cells: Cell[] = []
    return { cells, rest: sweep(racer, courses[course], { beta, steps }) }
  })
  let [progress, done] = [0, false]
  return {
    work() {
      for (const { cells, rest } of sweeps) {
        const next = rest.next()
        if (next.done) done = true
        else cells.push(next.value)
      }
      progress = done ? 1 : sweeps[0].cells.length / settings
      return !done
    },
    get progress() {
      return progress
    },
    get standing() {
      return done ? 'all settings tried' : `${sweeps[0].cells.length} settings tried`
    },
    panoramas: (state) =>
      sweeps.map(({ cells }, i) => ({ of: 'sweep', cells, racer: state.racers[i], beta })),
  }
}
