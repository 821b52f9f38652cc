import { fileURLToPath } from 'node:url'
import {
  BenchmarkProcess,
  type Command,
  findPyTorch,
  scriptCommand,
  timeRounds,
} from '../child-process.ts'
import { idleShare, machine, today } from '../machine.ts'
import { writeResults } from '../report.ts'
import { profile } from './profile.ts'
import {
  profileTable,
  type TrainingResults,
  type TrainingTimings,
  trainingMarkdown,
} from './report.ts'
import { type Workload, workloads } from './workloads.ts'

/** Measures whole train steps, and writes the results. */
export async function benchTraining(rounds: number): Promise<void> {
  const measured: TrainingResults['workloads'][number][] = []
  for (const workload of workloads) {
    const idle = await idleShare()
    const trainings = await timeWorkload(workload, rounds)
    measured.push({ name: workload.name, idle, trainings, profile: await profile(workload) })
  }
  const results = { machine: machine(), date: today(), rounds, workloads: measured }
  writeResults('training', results, trainingMarkdown(results))
}

/** Prints the time of each phase of a train step. */
export async function profileTraining(): Promise<void> {
  for (const workload of workloads) {
    console.log(`\n## ${workload.name}\n\n${profileTable(await profile(workload))}`)
  }
}

const resolve = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The libraries that this machine has, and that train the workload in seconds per step. */
function commandsFor({ name, network, size }: Workload): ReadonlyMap<string, Command> {
  const trainer = (runtime: string, update: string): Command =>
    scriptCommand(resolve('run-trainer.ts'), runtime, update, name)
  const commands = new Map([
    ['onnxruntime-node, update by kernels', trainer('node', 'kernel')],
    ['onnxruntime-node, update in the graph', trainer('node', 'graph')],
    ['onnxruntime-web, update by kernels', trainer('web', 'kernel')],
  ])
  // A step of XResNet-18 takes minutes on jax-js.
  if (network === 'small') {
    commands.set('jax-js (jit, wasm, one thread)', scriptCommand(resolve('run-jax.ts'), `${size}`))
  }
  if (size <= 64) {
    commands.set('TensorFlow.js, wasm, one thread', scriptCommand(resolve('run-tfjs.ts'), name))
  }
  const python = findPyTorch()
  if (python) commands.set('PyTorch', [python, resolve('pytorch.py'), network, `${size}`])
  return commands
}

async function timeWorkload(
  workload: Workload,
  rounds: number,
): Promise<readonly TrainingTimings[]> {
  const entries: { name: string; timed: BenchmarkProcess; steps: number }[] = []
  for (const [name, command] of commandsFor(workload)) {
    const timed = new BenchmarkProcess(command)
    if (!(await timed.ready())) throw new Error(`${name} did not start`)
    await timed.time(1) // Warm-up.
    entries.push({ name, timed, steps: (await timed.time(1)) < 2000 ? 2 : 1 })
  }
  const trainings: TrainingTimings[] = []
  for (const { name, timed, timings } of await timeRounds(entries, rounds)) {
    trainings.push({ name, timings, peakMemory: await timed.peakMemory() })
    timed.end()
  }
  return trainings
}
