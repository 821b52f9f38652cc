import { parseArgs } from 'node:util'
import { disagreement } from './agreement.ts'
import { cases } from './cases.ts'
import { tolerance as exact, worstError } from './check.ts'

// Prints the worst relative error of every operator's gradient; fails where one is too large. The
// gradients of the CPU are held against finite differences, those of another provider against the CPU's.
const { provider } = parseArgs({ options: { provider: { type: 'string' } } }).values
const seeds = provider === undefined ? [1, 2, 3, 4] : [1]
const tolerance = provider === undefined ? exact : 1e-3
/** What a provider refuses to run is infinitely far from right. */
const errorOf = (one: (typeof cases)[number], seed: number): Promise<number> =>
  provider === undefined
    ? worstError(one, seed)
    : disagreement(one, seed, provider).catch(() => Number.POSITIVE_INFINITY)
const rows = new Map<string, { cases: number; worst: number; about: string }>()
for (const one of cases) {
  const row = rows.get(one.operator) ?? { cases: 0, worst: 0, about: one.about }
  rows.set(one.operator, row)
  for (const seed of seeds) {
    const error = await errorOf(one, seed).catch((cause) => {
      throw new Error(`${one.operator}, ${one.about}, seed ${seed}`, { cause })
    })
    row.cases++
    if (!(error <= row.worst) && !Number.isNaN(row.worst))
      Object.assign(row, { worst: error, about: one.about })
  }
}
console.log(`${'operator'.padEnd(24)}cases  worst relative error`)
for (const [operator, { cases: n, worst, about }] of rows)
  console.log(
    `${operator.padEnd(24)}${String(n).padStart(5)}  ${worst.toExponential(1)}${worst <= tolerance ? '' : '  TOO LARGE'}  ${about}`,
  )
const failed = [...rows.values()].filter(({ worst }) => !(worst <= tolerance)).length
console.log(`${rows.size} operators, ${failed} beyond ${tolerance}`)
process.exitCode = failed > 0 ? 1 : 0
