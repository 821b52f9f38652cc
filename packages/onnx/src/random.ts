import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Numbers drawn one after the other, the same for the same seed on every machine. */
export interface Random {
  /** Evenly from [0, 1). */
  uniform(): number
  /** From the normal distribution, by Box and Muller. */
  normal(): number
}

/** Numbers from xoroshiro128+. */
export function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  const uniform = (): number => uniformFloat64(generator)
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
