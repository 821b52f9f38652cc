import type { OptionRange } from '@diffgrad/core'
import { InvalidArgumentError } from 'commander'

/** Reads numbers of a range. */
export const numeric =
  ({ text, includes }: OptionRange) =>
  (given: string): number => {
    const value = given === '' ? Number.NaN : Number(given)
    if (includes(value)) return value
    throw new InvalidArgumentError(`It must be ${text}.`)
  }
