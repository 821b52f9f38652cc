import {
  constant,
  cosine,
  exponential,
  flatCosine,
  join,
  linear,
  oneCycle,
  type Schedule,
  scheduleValue,
  stepDecay,
  warmRestarts,
} from '@diffgrad/core'

/** The steps that a plot shows. */
const steps = 100

const schedules: Readonly<Record<string, Schedule>> = {
  'constant(0.1)': constant(0.1),
  'linear({ from: 0.1, steps: 100 })': linear({ from: 0.1, steps }),
  'cosine({ from: 0.1, to: 0.01, steps: 100 })': cosine({ from: 0.1, to: 0.01, steps }),
  'exponential({ from: 0.1, factor: 0.97 })': exponential({ from: 0.1, factor: 0.97 }),
  'stepDecay({ from: 0.1, factor: 0.5, every: 25 })': stepDecay({
    from: 0.1,
    factor: 0.5,
    every: 25,
  }),
  'warmRestarts({ from: 0.1, steps: 15, growth: 2 })': warmRestarts({
    from: 0.1,
    steps: 15,
    growth: 2,
  }),
  'flatCosine({ from: 0.1, steps: 100 })': flatCosine({ from: 0.1, steps }),
  'oneCycle({ peak: 0.1, steps: 100 })': oneCycle({ peak: 0.1, steps }),
  'join({ schedule: linear({ from: 0, to: 0.1, steps: 20 }), steps: 20 }, { schedule: cosine({ from: 0.1, steps: 80 }), steps: 80 })':
    join(
      { schedule: linear({ from: 0, to: 0.1, steps: 20 }), steps: 20 },
      { schedule: cosine({ from: 0.1, steps: 80 }), steps: 80 },
    ),
}

export interface Plot {
  readonly code: string
  /** The value at each step from 0. */
  readonly values: readonly number[]
}

declare const data: readonly Plot[]

export { data }

export default {
  load: (): readonly Plot[] =>
    Object.entries(schedules).map(([code, schedule]) => ({
      code,
      values: Array.from({ length: steps + 1 }, (_, step) => scheduleValue(schedule, step)),
    })),
}
