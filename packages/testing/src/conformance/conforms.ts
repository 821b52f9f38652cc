import { describe, test } from 'vitest'
import { friction } from './laws/friction.ts'
import { golden } from './laws/golden.ts'
import { options } from './laws/options.ts'
import { state } from './laws/state.ts'
import { steps } from './laws/steps.ts'
import { surroundings } from './laws/surroundings.ts'
import type { Law, Subject } from './subject.ts'

/** Every law. */
export const laws: readonly Law[] = [
  ...golden,
  ...friction,
  ...steps,
  ...options,
  ...surroundings,
  ...state,
]

/** Declares the tests that every backend must pass. */
export function conforms(subject: Subject): void {
  describe(subject.name, () => {
    for (const law of laws) test(law.name, () => law.check(subject))
  })
}
