import { rules } from '../recipe/rules.ts'

/** Distances from ½, two a decade: below 1e-7, 32-bit floats near ½ hold hardly any. */
export const distances: readonly number[] = [
  ...Array.from({ length: 14 }, (_, i) => 10 ** (i / 2 - 7)),
  0.5,
  4.5,
]

/** Edges for ξ that tell how far it is from ½, on both sides: ξ lies in (0, 5). */
export const frictionEdges: readonly number[] = [
  ...distances
    .filter((distance) => distance <= 0.5)
    .toReversed()
    .map((distance) => 0.5 - distance),
  ...distances.map((distance) => 0.5 + distance),
]

/** Whether a rule has a ξ. */
export const hasFriction = (optimizer: keyof typeof rules): boolean =>
  rules[optimizer].intermediates?.includes('xi') ?? false

/** How often an epoch ξ is looked at, at most. Of 11 million parameters, it takes most of a second. */
const readingsPerEpoch = 4

/** Whether ξ is counted in a batch of an epoch: in the last, and evenly before. */
export const isRead = (batch: number, batchesPerEpoch: number): boolean => {
  const every = Math.ceil(batchesPerEpoch / readingsPerEpoch)
  return (batchesPerEpoch - 1 - batch) % every === 0
}
