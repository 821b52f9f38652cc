import type { Machine } from '@diffgrad/testing/machine'
import { busyMark } from '@diffgrad/testing/machine'
import { formatPercent, formatSummary, markdownTable, ratio, summarize } from '../report.ts'
import type { Profile } from './profile.ts'

/** The timings of one library. */
export interface TrainingTimings {
  readonly name: string
  /** In milliseconds per step, one per round. */
  readonly timings: readonly number[]
  /** In bytes. */
  readonly peakMemory: number
}

export interface TrainingResults {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly workloads: readonly {
    readonly name: string
    /** The idle share of the machine before. */
    readonly idle: number
    readonly trainings: readonly TrainingTimings[]
    readonly profile: Profile
  }[]
}

const row = (
  { name, timings, peakMemory }: TrainingTimings,
  pyTorch: TrainingTimings | undefined,
): readonly string[] => [
  name,
  formatSummary(summarize(timings), (time) => time.toFixed(0)),
  pyTorch ? `${ratio(timings, pyTorch.timings).toFixed(2)} ×` : '–',
  `${Math.round(peakMemory / 1e6)} MB`,
]

/** The time of each phase of a step, and its slowest operators. */
export const profileTable = ({ step, phases }: Profile): string =>
  `| of ${step.toFixed(0)} ms a step, update by kernels | ms | of it |
| --- | ---: | --- |
${phases
  .map(({ phase, milliseconds, operators }) => {
    const slowest = operators.map(([operator, time]) => `${operator} ${time.toFixed(1)}`).join(', ')
    return `| ${phase} | ${milliseconds.toFixed(1)} | ${slowest} |`
  })
  .join('\n')}`

export const trainingMarkdown = ({ machine, date, rounds, workloads }: TrainingResults): string =>
  `# Whole train steps

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node}. ${date}, ${rounds} rounds of two steps each, by \`pnpm bench training\`.
${busyMark(workloads.map(({ idle }) => idle))}
Forward, backward and diffGrad on batches of 32, float32, two threads unless said otherwise. Medians, with quartiles in
brackets; within a round, each library is timed once, one at a time. PyTorch runs in its fastest form, chosen
in the same run: contiguous or channels_last, with glibc returning freed memory to the kernel or keeping it, with
active or passive waiting. onnxruntime keeps memory, too. Memory is the peak of resident memory, batch and
program included.
${workloads
  .map(({ name, idle, trainings, profile }) => {
    const pyTorch = trainings.find(({ name }) => name.startsWith('PyTorch'))
    return `
## ${name} (machine ${formatPercent(idle)} idle before)

${markdownTable(
  ['', 'ms a step', '× PyTorch', 'memory'],
  trainings.map((training) => row(training, pyTorch)),
)}

${profileTable(profile)}
`
  })
  .join('')}`
