import { ratio, summarize } from '../statistics.ts'
import type { Measured, Results, Timed } from './bench.ts'

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3))

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i < 2 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** How many times faster than the first, round by round. */
const faster = (timed: Timed, [first]: readonly Timed[]): string =>
  timed === first ? '' : `${digits(ratio(first.timings, timed.timings))} ×`

const timings = (measured: readonly Measured[]): string =>
  table(
    ['backend', 'optimizer', 'ms a step', 'times as fast'],
    measured.flatMap(({ backend, timed }) =>
      timed.map((one) => {
        const { median, spread } = summarize(one.timings)
        const [lower, upper] = spread.map(digits)
        return [backend, one.optimizer, `${digits(median)} (${lower}–${upper})`, faster(one, timed)]
      }),
    ),
  )

const costs = (measured: readonly Measured[]): string =>
  table(
    ['backend', 'optimizer', 'programs', 'uploads', 'submits', 'ms to issue'],
    measured.flatMap(({ backend, timed }) =>
      timed.flatMap(({ optimizer, cost }) => {
        if (!cost) return []
        const { programs, uploads, submits, issue } = cost
        const numbers = [programs, uploads, backend === 'webgpu' ? submits : '–', digits(issue)]
        return [[backend, optimizer, ...numbers.map(String)]]
      }),
    ),
  )

const section = (measured: readonly Measured[]): string => {
  const [{ workload, whole }] = measured
  const idle = measured.map(({ backend, idle }) => `${backend} ${Math.round(100 * idle)} %`)
  return `
### ${workload}

Machine idle before: ${idle.join(', ')}.

${timings(measured)}
${whole ? '' : `\n${costs(measured)}\n`}`
}

/** The results as a page to read. */
export function markdown({ machine, date, rounds, measured }: Results): string {
  const sections = (whole: boolean): string => {
    const chosen = measured.filter((one) => one.whole === whole)
    const workloads = [...new Set(chosen.map(({ workload }) => workload))]
    return workloads
      .map((workload) => section(chosen.filter((one) => one.workload === workload)))
      .join('')
  }
  return `# Steps on the backends of TensorFlow.js

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node}; webgl and webgpu in headless Chromium, where SwiftShader computes on the CPU what a
graphics card would. ${date}, ${rounds} rounds, by \`pnpm bench tfjs\`.

Medians, with quartiles in brackets. Contenders take turns within a round, and only one works at a time;
ratios to \`tf.train.adam\` are medians of the ratios within each round. Programs are draws of WebGL and
dispatches of WebGPU, uploads are writes from the host, all counted at the browser's own interfaces.
Programs, uploads and the time to issue them are what carries over to graphics cards.

## Optimizer steps alone
${sections(false)}
## Whole train steps: \`trainOnBatch\`
${sections(true)}`
}
