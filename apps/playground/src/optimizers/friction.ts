import { type OptimizerConfig, optionValue } from './config.ts'

/** The range of the friction ξ in each version. */
const ranges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  0: [0.5, 1],
  1: [0, 1],
  2: [0.5, 5],
}

/** The range of the friction ξ; undefined if the update rule has no friction. */
export const frictionRange = (
  config: OptimizerConfig,
): readonly [low: number, high: number] | undefined => ranges[`${optionValue(config, 'version')}`]

/** Whether the update rule has a friction ξ. */
export const hasFriction = (config: OptimizerConfig): boolean =>
  optionValue(config, 'version') !== undefined

/** The lower bounds of the bins above ½, as powers of ten of the distance from ½: two bins per decade. */
const powers = Array.from({ length: 13 }, (_, i) => -6 + i / 2)

/**
 * The edges of the histogram bins for ξ. They are evenly spaced on a logarithmic scale of the distance
 * from ½, because most values of ξ are close to ½.
 */
export function frictionEdges(config: OptimizerConfig): readonly number[] {
  const version = optionValue(config, 'version')
  const largest = version === 2 ? 4.5 : 0.5
  const above = [...powers.map((power) => 10 ** power).filter((d) => d < largest), largest].map(
    (distance) => 0.5 + distance,
  )
  const end = above.with(-1, above[above.length - 1] + 1e-6) // The last bin includes its upper edge.
  if (version !== 1) return [0.5, ...end]
  return [...above.map((x) => 1 - x).reverse(), ...end].with(0, -1e-6)
}
