import { fileURLToPath } from 'node:url'
import { allRules, classNameOf, stepKernels, trace, type UpdateRule } from '@diffgrad/core'
import { busyMark, type Machine, machine, requireIdle, today } from '@diffgrad/testing/machine'
import { BenchmarkProcess, scriptCommand, stepsPerRound, timeRounds } from '../child-process.ts'
import {
  formatDigits,
  formatSummary,
  markdownTable,
  ratio,
  summarize,
  writeResults,
} from '../report.ts'

const backends = [
  'arrays, wasm',
  'arrays, wasm, 2 threads',
  'arrays, JavaScript',
  'tfjs, cpu',
  'tfjs, wasm',
] as const

/** Where a rule is timed. */
export type RuleBackend = (typeof backends)[number]

interface RulesOptions {
  readonly rounds: number
  /** Elements of the one parameter. */
  readonly elements: number
  /** Whether a busy machine is accepted. */
  readonly busy?: boolean
  /** Only backends whose names contain this text are timed; the table is then printed. */
  readonly only: string
}

/** All rules on one backend, with the copy of an array beside them. */
interface Measurement {
  readonly backend: RuleBackend
  /** The idle share of the machine before. */
  readonly idle: number
  /** In nanoseconds per element and step, one per round, by the name of the rule, or `copy`. */
  readonly timings: Readonly<Record<string, readonly number[]>>
}

interface RulesResults {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly elements: number
  readonly measurements: readonly Measurement[]
}

const script = fileURLToPath(new URL('run-rule.ts', import.meta.url))

/** Times a step of every rule on every backend. Results are written after each backend. */
export async function benchRules({
  rounds,
  elements,
  busy = false,
  only,
}: RulesOptions): Promise<void> {
  const measurements: Measurement[] = []
  for (const backend of backends.filter((name) => name.includes(only))) {
    const idle = await requireIdle(busy)
    console.error(`${backend} …`) // Progress, because this takes minutes.
    measurements.push({ backend, idle, timings: await timeBackend(backend, elements, rounds) })
    const results = { machine: machine(), date: today(), rounds, elements, measurements }
    if (only === '') writeResults('rules', results, rulesMarkdown(results))
    else console.log(rulesMarkdown(results))
  }
}

/** Nanoseconds per element; rules that the backend does not run are left out. */
async function timeBackend(
  backend: RuleBackend,
  elements: number,
  rounds: number,
): Promise<Measurement['timings']> {
  const entries: { name: string; timed: BenchmarkProcess; steps: number }[] = []
  const names = [['copy', 'copy'], ...allRules.map((rule) => [rule.name, classNameOf(rule)])]
  for (const [name, className] of names) {
    const timed = new BenchmarkProcess(scriptCommand(script, backend, className, `${elements}`))
    if (await timed.ready()) entries.push({ name, timed, steps: await stepsPerRound(timed, 100) })
  }
  const finished = await timeRounds(entries, rounds)
  for (const { timed } of entries) timed.end()
  return Object.fromEntries(
    finished.map(({ name, timings }) => [name, timings.map((ms) => (1e6 * ms) / elements)]),
  )
}

/** The arrays that a step of a rule reads and writes, in passes over them, after its first steps. */
function memoryTraffic(rule: UpdateRule): { readonly reads: number; readonly writes: number } {
  const { sums, update } = stepKernels(rule, rule.defaults, 1000)
  const graphs = [update, ...sums.map(({ elements }) => elements)].map(trace)
  return {
    reads: graphs.reduce((total, { reads }) => total + reads.size, 0),
    writes: trace(update).writes.size,
  }
}

const rulesMarkdown = ({ machine, date, rounds, elements, measurements }: RulesResults): string => {
  const { processor, cores, gibibytes, system, node, v8 } = machine
  return `# A step of every rule

${processor}, ${cores} cores, ${gibibytes} GiB, ${system},
Node ${node} (V8 ${v8}). ${date}, ${rounds} rounds, by \`pnpm bench rules\`.
${busyMark(measurements.map(({ idle }) => idle))}
One parameter of ${elements.toLocaleString('en')} float32 elements, default options. Medians, with quartiles in brackets;
ratios are medians of the ratios within each round. *Traffic* is the arrays that a step reads and writes, relative
to Adam's; *copy* is the time that the same bytes take \`Float32Array.set\` on one thread: the limit that memory
sets. A rule whose time beside Adam's is about its traffic is bounded by memory; a longer one by its arithmetic.

${measurements.map((measurement) => `## ${measurement.backend}\n\n${ruleTable(measurement)}`).join('\n\n')}
`
}

function ruleTable({ timings }: Measurement): string {
  const traffic = (rule: UpdateRule): number => {
    const { reads, writes } = memoryTraffic(rule)
    return reads + writes
  }
  const adam = allRules.find(({ name }) => name === 'Adam')
  const adamTraffic = adam ? traffic(adam) : Number.NaN
  return markdownTable(
    ['rule', 'reads + writes', 'traffic', 'ns an element', '× Adam', '× copy'],
    allRules.flatMap((rule) => {
      const own = timings[rule.name]
      if (!own) return [[rule.name, '–', '–', 'refused', '–', '–']]
      const { reads, writes } = memoryTraffic(rule)
      // A copy reads and writes one array.
      const copied = timings.copy.map((time) => (time * (reads + writes)) / 2)
      return [
        [
          rule.name,
          `${reads} + ${writes}`,
          `${formatDigits(traffic(rule) / adamTraffic)} ×`,
          formatSummary(summarize(own)),
          `${formatDigits(ratio(own, timings.Adam))} ×`,
          `${formatDigits(ratio(own, copied))} ×`,
        ],
      ]
    }),
  )
}
