/**
 * The seed of this test run: 0 on every push. `RANDOM=1 npm test` draws one, prints it and passes it
 * to all tests as `SEED`; `SEED=<number> npm test` repeats that run. Pages have no environment and use 0.
 */
export const runSeed: number = parseSeed(
  typeof process === 'undefined' ? undefined : process.env.SEED,
)

/** The seed for one random draw in a test: `label` itself in ordinary runs, and another number for each `SEED`. */
export function testSeed(label: number): number {
  return runSeed === 0
    ? label
    : (Math.imul(runSeed, 0x9e3779b1) ^ Math.imul(label + 1, 0x85ebca6b)) >>> 1
}

/**
 * Parses the text of `SEED`; 0 if there is none.
 *
 * @throws RangeError unless it is a whole number in [0, 2147483647].
 */
export function parseSeed(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const seed = Number(text)
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > 0x7fffffff) {
    throw new RangeError(`SEED must be a whole number in [0, 2147483647], but is ${text}`)
  }
  return seed
}
