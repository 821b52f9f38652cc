import type { OptionRange } from '@diffgrad/core'

const finite = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

/** A share that may be all of it. */
export const share: OptionRange = {
  text: 'in (0, 1]',
  includes: (value) => finite(value) && value > 0 && value <= 1,
}

/** A seed of pure-rand. */
export const seed: OptionRange = {
  text: 'a whole number in [0, 2³¹)',
  includes: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31,
}

/** An edge that an XResNet can halve five times. */
export const edge: OptionRange = {
  text: 'a whole number of pixels, at least 17',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 17,
}

/** Channels that a stem can have half of. */
export const channels: OptionRange = {
  text: 'an even number, at least 2',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 2 && Number(value) % 2 === 0,
}
