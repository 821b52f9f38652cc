import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy, gradientModel } from '@diffgrad/onnx'
import { Trainer } from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { partsOf } from './parts.ts'
import { batch, examplesOf, modelOf, type Workload } from './workloads.ts'

/** Where the time of a step goes. */
export interface Profile {
  readonly name: string
  /** Milliseconds a step. */
  readonly step: number
  readonly parts: readonly {
    readonly part: string
    readonly milliseconds: number
    /** The operators that take the most of it. */
    readonly operators: readonly (readonly [operator: string, milliseconds: number])[]
  }[]
}

/** What the runtime notes of a node that it ran, or of a whole run. Times are in microseconds. */
interface Event {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args?: { readonly op_name?: string }
}

const steps = 5
const kernel = '_kernel_time'

/** Trains on for some steps while the runtime takes notes; the first is left out. */
export async function profile(workload: Workload): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-profile-'))
  const forward = modelOf(workload)
  const options = { loss: crossEntropy(), dimensions: { batch } }
  const trainer = await Trainer.create(ort, forward, {
    ...options,
    optimizer: { rule: diffGrad },
    session: {
      intraOpNumThreads: 2,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
    },
  })
  const examples = examplesOf(workload)
  await trainer.step(examples)
  const start = performance.now()
  for (let t = 0; t < steps; t++) await trainer.step(examples)
  const step = (performance.now() - start) / steps
  await trainer.dispose()
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  rmSync(folder, { recursive: true })
  // The format is the runtime's, a list of trace events.
  const events: readonly Event[] = files.flatMap((text) => JSON.parse(text))
  return {
    name: workload.name,
    step,
    parts: shares(events, partsOf(gradientModel(forward, options)), step),
  }
}

function shares(
  events: readonly Event[],
  partOf: ReturnType<typeof partsOf>,
  step: number,
): Profile['parts'] {
  const times = new Map<string, Map<string, number>>()
  const seen = new Map<string, number>()
  for (const { name, dur, args } of events) {
    if (!name.endsWith(kernel)) continue
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    if (count === 0) continue
    const part = partOf.get(name.slice(0, -kernel.length)) ?? 'changes of layout by the runtime'
    const operators = times.get(part) ?? new Map<string, number>()
    times.set(part, operators)
    const operator = args?.op_name ?? 'unknown'
    operators.set(operator, (operators.get(operator) ?? 0) + dur / 1000 / steps)
  }
  const parts = [...times].map(([part, operators]) => ({
    part,
    milliseconds: [...operators.values()].reduce((a, b) => a + b),
    operators: [...operators].toSorted(([, a], [, b]) => b - a).slice(0, 4),
  }))
  const computed = parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const rest = {
    part: 'between the nodes, copies of outputs, update',
    milliseconds: step - computed,
  }
  return [...parts.toSorted((a, b) => b.milliseconds - a.milliseconds), { ...rest, operators: [] }]
}
