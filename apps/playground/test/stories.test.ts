import { expect, test } from 'vitest'
import { told } from '../src/address/race-code.ts'
import { courses } from '../src/race/course.ts'
import { Descent } from '../src/race/descent.ts'
import { stories } from '../src/race/stories.ts'

test.each(Object.entries(stories))('%s: what is stated happens', (name, { facts }) => {
  const { course, racers, start, steps } = told(name)
  const { landscape } = courses[course]
  const descents = racers.map((racer) => new Descent(racer, landscape, start))
  for (const { text, holds } of facts) {
    expect({ text, holds: holds(descents, { steps, landscape }) }).toEqual({ text, holds: true })
  }
})
