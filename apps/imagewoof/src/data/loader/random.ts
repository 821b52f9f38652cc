import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** Draws evenly from [0, 1). */
export type Draw = () => number

/** A stream of its own for every list of whole numbers. */
export function drawsOf(...key: readonly number[]): Draw {
  const begin = key.reduce((state, part) => scrambled(state ^ part), 0)
  const words = [1, 2, 3, 4].map((k) => scrambled(begin + k))
  const generator = xoroshiro128plusFromState(words)
  return () => uniformFloat64(generator)
}

/** The finalizer of MurmurHash3: neighbouring numbers become unrelated ones. */
function scrambled(x: number): number {
  let h = (x + 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** The numbers below a count in a drawn order, by Fisher and Yates. */
export function shuffled(count: number, draw: Draw): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor((i + 1) * draw())
    ;[order[i], order[other]] = [order[other], order[i]]
  }
  return order
}
