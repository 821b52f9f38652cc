import { ratio, type Summary, summarize } from '../statistics.ts'
import type { Results } from './bench.ts'

type Timings = Readonly<Record<string, readonly number[]>>

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3))

const shown = ({ median, spread: [lower, upper] }: Summary): string =>
  `${digits(median)} (${digits(lower)}–${digits(upper)})`

const percent = (share: number): string => `${Math.round(100 * share)} %`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** Time beside the ratio to `touch` in the same rounds. */
const againstTouch = (timings: Timings, touch: string): readonly (readonly string[])[] =>
  Object.entries(timings).map(([name, times]) => [
    name,
    shown(summarize(times)),
    timings[touch] ? `${digits(ratio(times, timings[touch]))} ×` : '–',
  ])

/** How many times faster one contender is than another, where both ran. */
const comparisons: readonly (readonly [ours: string, peer: string])[] = [
  ['diffGrad (WASM, 2 threads)', 'diffGrad (WASM)'],
  ['diffGrad (WASM)', 'diffGrad (WASM, own arrays)'],
  ['diffGrad (WASM)', 'diffGrad (JavaScript)'],
  ['diffGrad (WASM)', 'torch diffGrad (eager)'],
  ['Adam (WASM)', 'torch.optim.Adam'],
  ['Adam (WASM)', 'torch.optim.Adam (foreach)'],
  ['Adam (WASM)', 'tf.train.adam (wasm)'],
  ['Adam (WASM)', 'tf.train.adam (cpu)'],
  ['Adam (WASM)', 'jax-js Adam (jit, wasm)'],
]

/** The results as a page to read. */
export function markdown({ machine, ...results }: Results): string {
  const { kernels, steps } = results
  return `# Optimizer steps over typed arrays

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node} (V8 ${machine.v8}). ${results.date}, ${results.rounds} rounds, by \`pnpm bench arrays\`.

Medians, with quartiles in brackets. Contenders take turns within a round, and only one works at a time;
ratios are medians of the ratios within each round. Everything is float32 and, but for the entry
with two threads, on one thread. *Touch* moves the same 36 bytes a parameter as diffGrad, by the same
generator, and computes next to nothing: the limit that memory sets.

## Kernels alone: ns a parameter
${kernels
  .map(
    ({ elements, idle, timings }) => `
### ${elements.toLocaleString('en')} parameters (machine ${percent(idle)} idle before)

${table(['kernel', 'ns a parameter', '× touch'], againstTouch(timings, 'touch'))}
`,
  )
  .join('')}
## Whole steps: ms
${steps
  .map(
    ({ workload, idle, timings }) => `
### ${workload} (machine ${percent(idle)} idle before)

${table(['optimizer', 'ms a step', '× touch'], againstTouch(timings, 'touch (WASM)'))}
`,
  )
  .join('')}
## How many times faster

${table(
  ['', ...steps.map(({ workload }) => workload)],
  comparisons.map(([ours, peer]) => [
    `${ours} : ${peer}`,
    ...steps.map(({ timings }) =>
      timings[ours] && timings[peer] ? digits(ratio(timings[peer], timings[ours])) : '–',
    ),
  ]),
)}

The first kernel of a process is ready, and its first step done, after ${shown(results.coldStart)} ms.
The last of 3000 steps without gradients take ${digits(results.slowdownWithoutGradients)} × the time of the first.
`
}
