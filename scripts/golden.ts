import {
  type GoldenResult,
  goldenTolerance,
  runFunctions,
  runTrajectories,
} from '@diffgrad/testing/golden'
import { referenceBackend } from '@diffgrad/testing/reference'
import { backend, shipped } from '../packages/arrays/test/conformance-adapter.ts'

// Compares every rule with recorded trajectories of independent implementations: `pnpm golden`.

const worst = (results: readonly GoldenResult[]): string =>
  results.length === 0 ? '–' : Math.max(...results.map(({ error }) => error)).toExponential(1)

let failures = 0
for (const tested of [referenceBackend, backend('typed arrays', shipped)]) {
  const trajectories = await runTrajectories(tested)
  const functions = await runFunctions(tested)
  const all = [...trajectories, ...functions]
  const rows = [...new Set(all.map(({ rule }) => rule))].map((rule) => {
    const of = (results: readonly GoldenResult[]): readonly GoldenResult[] =>
      results.filter((result) => result.rule === rule)
    const typed = (dtype: GoldenResult['dtype']): readonly GoldenResult[] =>
      of(trajectories).filter((result) => result.dtype === dtype)
    const sum = (count: 'points' | 'chaotic'): number =>
      of(functions).reduce((total, result) => total + result[count], 0)
    const row = {
      'float64 cases': typed('float64').length,
      'worst error': worst(typed('float64')),
      'float32 cases': typed('float32').length,
      'worst error ': worst(typed('float32')),
      descents: of(functions).length,
      points: sum('points'),
      'worst error  ': worst(of(functions)),
      chaotic: sum('chaotic'),
    }
    return [rule, row] as const
  })
  failures += all.filter(({ dtype, error }) => !(error <= goldenTolerance[dtype])).length
  console.log(`\n${tested.name}: ${all.length} cases`)
  console.table(Object.fromEntries(rows))
}
console.log(
  `Errors are relative to max(|θ|, 1); the limit is ${goldenTolerance.float64} in float64 and ${goldenTolerance.float32} in float32.`,
)
console.log(
  'Descents compute each gradient at the previous point. A point is chaotic, and excluded, if rounding\n' +
    'errors in the gradients change the reference itself by more than 1e-13.',
)
console.log(failures === 0 ? 'All cases agree.' : `${failures} cases disagree.`)
process.exitCode = failures === 0 ? 0 : 1
