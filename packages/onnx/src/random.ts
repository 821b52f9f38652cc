/** Numbers drawn one after the other, the same for the same seed on every machine. */
export interface Random {
  /** Evenly from [0, 1). */
  uniform(): number
  /** From the normal distribution, by Box and Muller. */
  normal(): number
}

/** A generator after mulberry32: 32 bits of state, advanced by a constant and mixed. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    const a = Math.imul(state ^ (state >>> 15), state | 1)
    const b = a ^ (a + Math.imul(a ^ (a >>> 7), a | 61))
    return ((b ^ (b >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
