import { cosine, flatCosine, oneCycle, plateau, type Schedule } from '@diffgrad/core'

/** What a course is made for. */
export interface Course {
  readonly learningRate: number
  /** How many updates there will be. */
  readonly updates: number
  /** The share of them before a flat cosine falls. */
  readonly flat: number | undefined
}

/** Courses of the learning rate by the names that the command line has for them. */
export const schedules = {
  'flat-cosine': ({ learningRate: from, updates, flat }: Course): Schedule | number =>
    updates < 2
      ? from
      : flatCosine({ from, steps: updates, ...(flat !== undefined && { start: flat }) }),
  cosine: ({ learningRate: from, updates }: Course): Schedule | number =>
    cosine({ from, steps: updates }),
  'one-cycle': ({ learningRate: peak, updates }: Course): Schedule | number =>
    updates < 2 ? peak : oneCycle({ peak, steps: updates }),
  /** A tenth after two epochs in a row without a better loss in validation. */
  plateau: ({ learningRate: from }: Course): Schedule | number => plateau({ from, patience: 1 }),
  constant: ({ learningRate }: Course): Schedule | number => learningRate,
} as const
