import type { Machine } from '@diffgrad/testing/machine'
import {
  formatDigits,
  formatPercent,
  formatSummary,
  markdownTable,
  ratio,
  summarize,
} from '../report.ts'
import type { DispatchCost } from './page.ts'

/** The timings of one optimizer. */
export interface OptimizerTimings {
  readonly optimizer: string
  /** In milliseconds per step, one per round. */
  readonly timings: readonly number[]
  /** On backends that send their work to a GPU. */
  readonly cost?: DispatchCost
}

/** All optimizers on one workload and backend. */
export interface Measurement {
  readonly backend: string
  readonly workload: string
  /** Whether it is a whole train step, not an optimizer step alone. */
  readonly trainStep: boolean
  /** The idle share of the machine before. */
  readonly idle: number
  readonly optimizers: readonly OptimizerTimings[]
}

export interface TfjsResults {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly measurements: readonly Measurement[]
}

const timingTable = (measurements: readonly Measurement[]): string =>
  markdownTable(
    ['backend', 'optimizer', 'ms a step', 'times as fast'],
    measurements.flatMap(({ backend, optimizers }) =>
      optimizers.map(({ optimizer, timings }, i) => {
        const speedup = i === 0 ? '' : `${formatDigits(ratio(optimizers[0].timings, timings))} ×`
        return [backend, optimizer, formatSummary(summarize(timings)), speedup]
      }),
    ),
    2,
  )

const costTable = (measurements: readonly Measurement[]): string =>
  markdownTable(
    ['backend', 'optimizer', 'programs', 'uploads', 'submits', 'ms to issue'],
    measurements.flatMap(({ backend, optimizers }) =>
      optimizers.flatMap(({ optimizer, cost }) => {
        if (!cost) return []
        const { programs, uploads, submits, issue } = cost
        const shownSubmits = backend === 'webgpu' ? submits : '–'
        const numbers = [programs, uploads, shownSubmits, formatDigits(issue)]
        return [[backend, optimizer, ...numbers.map(String)]]
      }),
    ),
    2,
  )

const section = (measurements: readonly Measurement[]): string => {
  const [{ workload, trainStep }] = measurements
  const idle = measurements.map(({ backend, idle }) => `${backend} ${formatPercent(idle)}`)
  return `
### ${workload}

Machine idle before: ${idle.join(', ')}.

${timingTable(measurements)}
${trainStep ? '' : `\n${costTable(measurements)}\n`}`
}

export function tfjsMarkdown({ machine, date, rounds, measurements }: TfjsResults): string {
  const sections = (trainStep: boolean): string => {
    const selected = measurements.filter((measurement) => measurement.trainStep === trainStep)
    const workloads = [...new Set(selected.map(({ workload }) => workload))]
    return workloads
      .map((name) => section(selected.filter(({ workload }) => workload === name)))
      .join('')
  }
  return `# Steps on the backends of TensorFlow.js

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node}; webgl and webgpu in headless Chromium, where SwiftShader computes on the CPU what a
graphics card would. ${date}, ${rounds} rounds, by \`pnpm bench tfjs\`.

Medians, with quartiles in brackets. Within a round, each optimizer is timed once, one at a time;
ratios to \`tf.train.adam\` are medians of the ratios within each round. Programs are draws of WebGL and
dispatches of WebGPU, uploads are writes from the host, all counted at the browser's own interfaces.
Programs, uploads and the time to issue them are what carries over to graphics cards.

## Optimizer steps alone
${sections(false)}
## Whole train steps: \`trainOnBatch\`
${sections(true)}`
}
