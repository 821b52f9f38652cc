import { ratio, summarize } from '../statistics.ts'
import type { Results, Trained } from './bench.ts'
import type { Profile } from './profile.ts'

const row = ({ name, timings, resident }: Trained, peer: Trained | undefined): string => {
  const { median, spread } = summarize(timings)
  const [lower, upper] = spread.map((time) => time.toFixed(0))
  const times = peer ? `${ratio(timings, peer.timings).toFixed(2)} ×` : '–'
  const memory = `${Math.round(resident / 1e6)} MB`
  return `| ${name} | ${median.toFixed(0)} (${lower}–${upper}) | ${times} | ${memory} |`
}

/** Where the time of a step goes, as a table. */
export const table = ({ step, parts }: Profile): string =>
  `| of ${step.toFixed(0)} ms a step, update by kernels | ms | of it |
| --- | ---: | --- |
${parts
  .map(({ part, milliseconds, operators }) => {
    const most = operators.map(([operator, time]) => `${operator} ${time.toFixed(1)}`).join(', ')
    return `| ${part} | ${milliseconds.toFixed(1)} | ${most} |`
  })
  .join('\n')}`

/** The results as a page to read. */
export const markdown = ({ machine, date, rounds, workloads }: Results): string =>
  `# Whole train steps

${machine.processor}, ${machine.cores} cores, ${machine.gibibytes} GiB, ${machine.system},
Node ${machine.node}. ${date}, ${rounds} rounds of two steps each, by \`pnpm bench training\`.

Forward, backward and diffGrad on batches of 32, float32, two threads unless said otherwise. Medians, with quartiles in
brackets; contenders take turns, and only one works at a time. Memory is the most that was resident,
batch and program included.
${workloads
  .map(({ name, idle, trained, profile }) => {
    const peer = trained.find(({ name }) => name === 'PyTorch')
    return `
## ${name} (machine ${Math.round(100 * idle)} % idle before)

| | ms a step | × PyTorch | memory |
| --- | ---: | ---: | ---: |
${trained.map((one) => row(one, peer)).join('\n')}

${table(profile)}
`
  })
  .join('')}`
