import type { Landscape } from '@diffgrad/testing/landscapes'
import type { Descent } from './descent.ts'
import type { RaceState } from './race-state.ts'

/** Something that can be seen at the end of a race. */
export interface Fact {
  readonly text: string
  /** @param steps - how long the race is. */
  holds(
    descents: readonly Descent[],
    race: { readonly steps: number; readonly landscape: Landscape },
  ): boolean
}

/** A race that shows something. */
export interface Story {
  readonly title: string
  /** What it shows, in one sentence. */
  readonly claim: string
  /** Why, for those who want to know. */
  readonly because: string
  readonly race: Omit<RaceState, 'tab' | 'at' | 'story'>
  /** What has happened when it is over. */
  readonly facts: readonly Fact[]
}
