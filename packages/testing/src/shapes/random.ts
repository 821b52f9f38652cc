import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** Draws of one picture. */
export interface Random {
  /** From low to high. */
  uniform(low: number, high: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  /** About normal, mean 0 and deviation 1: the sum of four random bytes, cheap enough for every pixel. */
  noise(): number
}

/** A stream of its own for each picture, so that it does not depend on the pictures before it. */
export function randomOf(seed: number, index: number): Random {
  const words = [1, 2, 3, 4].map((k) => scrambled(scrambled(seed) ^ (index * 4 + k)))
  const generator = xoroshiro128plusFromState(words)
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

/** The finalizer of MurmurHash3: neighbouring numbers become unrelated ones. */
function scrambled(x: number): number {
  let h = (x + 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
