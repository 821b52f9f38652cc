import { fileURLToPath } from 'node:url'
import { machine, requireIdle, today } from '@diffgrad/testing/machine'
import {
  BenchmarkProcess,
  type Command,
  type Environment,
  findPyTorch,
  keptMemory,
  scriptCommand,
  timeRounds,
} from '../child-process.ts'
import { writeResults } from '../report.ts'
import { profile } from './profile.ts'
import {
  profileTable,
  type TrainingResults,
  type TrainingTimings,
  trainingMarkdown,
} from './report.ts'
import { type Workload, workloads } from './workloads.ts'

/** How train steps are timed. */
export interface TrainingOptions {
  readonly rounds: number
  /** Whether a busy machine is accepted. */
  readonly busy?: boolean
  /** Only libraries whose names contain this text are timed. */
  readonly only: string
}

/** Measures whole train steps. Results are written after each workload. */
export async function benchTraining({
  rounds,
  busy = false,
  only,
}: TrainingOptions): Promise<void> {
  const measured: TrainingResults['workloads'][number][] = []
  for (const workload of workloads) {
    const idle = await requireIdle(busy)
    const trainings = await timeWorkload(workload, rounds, only)
    measured.push({ name: workload.name, idle, trainings, profile: await profile(workload) })
    const results = { machine: machine(), date: today(), rounds, workloads: measured }
    if (only === '') writeResults('training', results, trainingMarkdown(results))
    else console.log(trainingMarkdown(results))
  }
}

/** Prints the time of each phase of a train step. */
export async function profileTraining(): Promise<void> {
  for (const workload of workloads) {
    console.log(`\n## ${workload.name}\n\n${profileTable(await profile(workload))}`)
  }
}

const resolve = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** One form in which a library trains: its name if there are several, its command and environment. */
interface Form {
  readonly form?: string
  readonly command: Command
  readonly environment?: Environment
}

/** The libraries that this machine has and that train the workload in seconds per step, in all their forms. */
function librariesFor({
  name,
  network,
  size,
  batch,
}: Workload): ReadonlyMap<string, readonly Form[]> {
  const trainer = (runtime: string, update: string, form = 'products'): readonly Form[] => {
    const command = scriptCommand(resolve('run-trainer.ts'), runtime, update, name, form)
    return [{ command, environment: keptMemory }]
  }
  const libraries = new Map([
    ['onnxruntime-node, update by kernels', trainer('node', 'kernel')],
    ['onnxruntime-node, update in the graph', trainer('node', 'graph')],
    ['onnxruntime-web, update by kernels', trainer('web', 'kernel')],
    ['onnxruntime-web, without products', trainer('web', 'kernel', 'convolutions')],
  ])
  // A step of XResNet-18 takes minutes on jax-js.
  if (network === 'small') {
    const command = scriptCommand(resolve('run-jax.ts'), `${size}`, `${batch}`)
    libraries.set('jax-js (jit, wasm, one thread)', [{ command }])
  }
  if (size <= 64) {
    const command = scriptCommand(resolve('run-tfjs.ts'), name)
    libraries.set('TensorFlow.js, wasm, one thread', [{ command }])
  }
  const python = findPyTorch()
  if (python) libraries.set('PyTorch', pyTorchForms(python, network, size))
  return libraries
}

/** Layouts, allocators and waiting of PyTorch: which combination is fastest depends on network and machine. */
const pyTorchForms = (python: string, network: string, size: number): readonly Form[] =>
  ['contiguous', 'channels_last'].flatMap((layout) =>
    [
      ['', {}],
      [', memory kept', keptMemory],
      [', memory kept, passive threads', { ...keptMemory, OMP_WAIT_POLICY: 'passive' }],
    ].map(
      ([suffix, environment]): Form => ({
        form: `${layout}${suffix}`,
        command: [python, resolve('pytorch.py'), network, `${size}`, layout],
        environment: environment as Environment,
      }),
    ),
  )

/** A library that is warmed up, in its fastest form. */
interface Entry {
  readonly name: string
  readonly timed: BenchmarkProcess
  readonly steps: number
}

async function timeWorkload(
  workload: Workload,
  rounds: number,
  only: string,
): Promise<readonly TrainingTimings[]> {
  const entries: Entry[] = []
  for (const [name, forms] of librariesFor(workload))
    if (name.includes(only)) entries.push(await fastestForm(name, forms))
  const trainings: TrainingTimings[] = []
  for (const { name, timed, timings } of await timeRounds(entries, rounds)) {
    trainings.push({ name, timings, peakMemory: await timed.peakMemory() })
    timed.end()
  }
  return trainings
}

/** Starts every form, times it alone, and keeps the fastest. */
async function fastestForm(name: string, forms: readonly Form[]): Promise<Entry> {
  let best: (Entry & { readonly time: number }) | undefined
  for (const { form, command, environment } of forms) {
    const timed = new BenchmarkProcess(command, environment)
    if (!(await timed.ready())) throw new Error(`${name} did not start`)
    await timed.time(1) // Warm-up.
    const first = await timed.time(1)
    const steps = first < 2000 ? 2 : 1
    const time =
      forms.length > 1 ? Math.min(await timed.time(steps), await timed.time(steps)) : first
    if (best && best.time <= time) timed.end()
    else {
      best?.timed.end()
      best = { name: form ? `${name} (${form})` : name, timed, steps, time }
    }
  }
  if (!best) throw new Error(`${name} has no form`)
  return best
}
