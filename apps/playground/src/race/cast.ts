import { courses } from './course.ts'
import { Descent } from './descent.ts'
import type { RaceState } from './race-state.ts'

/** The descents of a race. Those that a change leaves as they were are not made anew. */
export class Cast {
  #known: ReadonlyMap<string, Descent> = new Map()

  of({ racers, course, start, selected }: RaceState): readonly Descent[] {
    const known = new Map<string, Descent>()
    const descents = racers.map((racer, i) => {
      const inspected = i === selected
      const key = JSON.stringify([racer, course, start, inspected])
      const descent =
        known.get(key) ??
        this.#known.get(key) ??
        new Descent(racer, courses[course].landscape, start, { inspected })
      known.set(key, descent)
      return descent
    })
    this.#known = known
    return descents
  }
}
