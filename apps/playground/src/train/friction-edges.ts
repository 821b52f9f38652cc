import { optionOf, type Racer } from '../optimizers/racer.ts'

/** Powers of ten of the distances from ½ at which bins begin: half a decade each. */
const powers = Array.from({ length: 13 }, (_, i) => -6 + i / 2)

/**
 * Between which values ξ is counted: bins that are even on a logarithmic scale of the distance from ½,
 * since nearly all values are near it.
 */
export function frictionEdges(racer: Racer): readonly number[] {
  const version = optionOf(racer, 'version')
  const largest = version === 2 ? 4.5 : 0.5
  const above = [...powers.map((power) => 10 ** power).filter((d) => d < largest), largest].map(
    (distance) => 0.5 + distance,
  )
  const end = above.with(-1, above[above.length - 1] + 1e-6) // The last bin holds its end.
  if (version !== 1) return [0.5, ...end]
  return [...above.map((x) => 1 - x).reverse(), ...end].with(0, -1e-6)
}
