import type { Machine } from '@diffgrad/testing/machine'
import {
  formatDigits,
  formatPercent,
  formatSummary,
  markdownTable,
  ratio,
  type Summary,
  summarize,
} from '../report.ts'
import { tuned } from './peers.ts'

/** One timing per round, by the name of the kernel or optimizer. */
export type Timings = Readonly<Record<string, readonly number[]>>

export interface ArraysResults {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly kernels: readonly {
    readonly elements: number
    /** The idle share of the machine before. */
    readonly idle: number
    /** In nanoseconds per parameter. */
    readonly timings: Timings
  }[]
  readonly steps: readonly {
    readonly workload: string
    readonly elements: number
    readonly idle: number
    /** In milliseconds per step. */
    readonly timings: Timings
    /** Why optimizers were not timed, by their names. */
    readonly leftOut: Readonly<Record<string, string>>
  }[]
  /** In milliseconds. */
  readonly coldStart: Summary
  readonly slowdownWithoutGradients: number
}

/** Timings beside their ratios to `touch` in the same rounds. */
const timingRows = (timings: Timings, touch: string): readonly (readonly string[])[] =>
  Object.entries(timings).map(([name, times]) => [
    name,
    formatSummary(summarize(times)),
    timings[touch] ? `${formatDigits(ratio(times, timings[touch]))} ×` : '–',
  ])

/** All forms of optimizers of PyTorch. */
const forms = (...names: readonly string[]): readonly string[] =>
  names.flatMap((name) => [name, tuned(name)])

/** What is compared, if both ran. Of several peers, the fastest on a workload. */
const comparisons: readonly (readonly [ours: string, ...peers: string[]])[] = [
  ['diffGrad (WASM, 2 threads)', 'diffGrad (WASM)'],
  ['diffGrad (WASM)', 'diffGrad (WASM, own arrays)'],
  ['diffGrad (WASM)', 'diffGrad (JavaScript)'],
  ['diffGrad (WASM)', ...forms('torch diffGrad (eager)')],
  ['Adam (WASM)', ...forms('torch.optim.Adam', 'torch.optim.Adam (foreach)')],
  ['Adam (WASM)', 'tf.train.adam (wasm)'],
  ['Adam (WASM)', 'tf.train.adam (cpu)'],
  ['Adam (WASM)', 'jax-js Adam (jit, wasm)'],
]

/** How many times faster an optimizer is than the fastest of its peers, which is named if they are several. */
function comparison(timings: Timings, [ours, ...peers]: readonly [string, ...string[]]): string {
  const median = (name: string): number => summarize(timings[name]).median
  const [best] = peers.filter((name) => timings[name]).toSorted((a, b) => median(a) - median(b))
  if (best === undefined || !timings[ours]) return '–'
  const times = formatDigits(ratio(timings[best], timings[ours]))
  return peers.length === 1 ? times : `${times} (${best})`
}

export function arraysMarkdown({ machine, ...results }: ArraysResults): string {
  const { kernels, steps } = results
  return `# Optimizer steps over typed arrays

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node} (V8 ${machine.v8}). ${results.date}, ${results.rounds} rounds, by \`pnpm bench arrays\`.

Medians, with quartiles in brackets. Within a round, each optimizer is timed once, one at a time;
ratios are medians of the ratios within each round. Everything is float32 and, but for the entry
with two threads, on one thread. *Touch* moves the same 36 bytes a parameter as diffGrad, by the same
generator, and computes next to nothing: the limit that memory sets. PyTorch runs with glibc's allocator
as installed, and tuned by \`MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296\`, which keeps the memory of
temporaries; a ratio names the faster form.

## Kernels alone: ns a parameter
${kernels
  .map(
    ({ elements, idle, timings }) => `
### ${elements.toLocaleString('en')} parameters (machine ${formatPercent(idle)} idle before)

${markdownTable(['kernel', 'ns a parameter', '× touch'], timingRows(timings, 'touch'))}
`,
  )
  .join('')}
## Whole steps: ms
${steps
  .map(
    ({ workload, idle, timings, leftOut }) => `
### ${workload} (machine ${formatPercent(idle)} idle before)

${markdownTable(['optimizer', 'ms a step', '× touch'], timingRows(timings, 'touch (WASM)'))}
${Object.entries(leftOut)
  .map(([name, reason]) => `\nLeft out: ${name}, because ${reason}.\n`)
  .join('')}`,
  )
  .join('')}
## How many times faster

${markdownTable(
  ['', ...steps.map(({ workload }) => workload)],
  comparisons.map((compared) => [
    `${compared[0]} : ${compared.length === 2 ? '' : 'the best form of '}${compared[1]}`,
    ...steps.map(({ timings }) => comparison(timings, compared)),
  ]),
)}

The first kernel of a process is ready, and its first step done, after ${formatSummary(results.coldStart)} ms.
The last of 3000 steps without gradients take ${formatDigits(results.slowdownWithoutGradients)} × the time of the first.
`
}
