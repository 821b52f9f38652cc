import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** The random numbers of one picture. */
export interface Random {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  /** Roughly normal, of mean 0 and deviation 1: the sum of four random bytes, fast enough for each pixel. */
  noise(): number
}

/** Creates an independent stream for each picture, so that no picture depends on those before it. */
export function createRandom(seed: number, index: number): Random {
  const state = [1, 2, 3, 4].map((k) => murmurMix(murmurMix(seed) ^ (index * 4 + k)))
  const generator = xoroshiro128plusFromState(state)
  const uniform = (low: number, high: number) => low + (high - low) * uniformFloat64(generator)
  return {
    uniform,
    chance: (probability) => uniform(0, 1) < probability,
    pick: (choices) => choices[Math.floor(uniform(0, choices.length))],
    noise() {
      const bits = generator.next()
      const sum = (bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >>> 24)
      return (sum - 510) / 147.8
    },
  }
}

/** The finalizer of MurmurHash3, which decorrelates neighbouring numbers. */
function murmurMix(x: number): number {
  let h = (x + 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
