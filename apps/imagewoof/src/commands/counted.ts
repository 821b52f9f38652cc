import { InvalidArgumentError } from 'commander'

/** Reads a whole number, at least 1. */
export function counted(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new InvalidArgumentError('It must be a whole number, at least 1.')
}
