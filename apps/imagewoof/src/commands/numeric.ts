import type { Range } from '@diffgrad/core'
import { InvalidArgumentError } from 'commander'

/** Reads numbers of a range. */
export const numeric =
  ({ text, holds }: Range) =>
  (given: string): number => {
    const value = given === '' ? Number.NaN : Number(given)
    if (holds(value)) return value
    throw new InvalidArgumentError(`It must be ${text}.`)
  }
