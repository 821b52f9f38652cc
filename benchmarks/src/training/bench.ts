import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { python, Runner } from '../arrays/field.ts'
import { idleShare, type Machine, machine } from '../machine.ts'
import { type Profile, profile } from './profile.ts'
import { markdown, table } from './report.ts'
import { type Workload, workloads } from './workloads.ts'

/** What one way to train took. */
export interface Trained {
  readonly name: string
  /** Milliseconds a step, one for each round. */
  readonly timings: readonly number[]
  /** The most memory that was resident, in bytes. */
  readonly resident: number
}

/** All that was measured. */
export interface Results {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly workloads: readonly {
    readonly name: string
    readonly idle: number
    readonly trained: readonly Trained[]
    readonly profile: Profile
  }[]
}

type Command = readonly [file: string, ...args: string[]]

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A contender that is TypeScript. */
const script = (path: string, ...args: readonly string[]): Command => [
  ...([process.execPath, '--import', 'tsx', '--conditions=@diffgrad/source'] as const),
  ...[here(path), ...args],
]

/** Everyone who is there. */
function commandsOf(workload: Workload): ReadonlyMap<string, Command> {
  const { name, network, size } = workload
  const trainer = (runtime: string, update: string): Command =>
    script('run-trainer.ts', runtime, update, name)
  const commands = new Map([
    ['onnxruntime-node, update by kernels', trainer('node', 'kernel')],
    ['onnxruntime-node, update in the graph', trainer('node', 'graph')],
    ['onnxruntime-web, update by kernels', trainer('web', 'kernel')],
  ])
  // On jax-js a step of XResNet-18 would take minutes.
  if (network === 'small')
    commands.set('jax-js (jit, wasm, one thread)', script('run-jax.ts', `${size}`))
  if (size <= 64) commands.set('TensorFlow.js, wasm, one thread', script('run-tfjs.ts', name))
  if (python) commands.set('PyTorch', [python, here('pytorch.py'), network, `${size}`])
  return commands
}

async function timeWorkload(workload: Workload, rounds: number): Promise<readonly Trained[]> {
  const entries: { name: string; runner: Runner; steps: number; timings: number[] }[] = []
  for (const [name, command] of commandsOf(workload)) {
    const runner = new Runner(command)
    if (!(await runner.ready())) throw new Error(`${name} did not start`)
    await runner.time(1)
    const steps = (await runner.time(1)) < 2000 ? 2 : 1
    entries.push({ name, runner, steps, timings: [] })
  }
  for (let round = 0; round < rounds; round++)
    for (const { runner, steps, timings } of entries) timings.push(await runner.time(steps))
  const trained: Trained[] = []
  for (const { name, runner, timings } of entries) {
    trained.push({ name, timings, resident: await runner.memory() })
    runner.end()
  }
  return trained
}

/** Measures whole train steps, and writes what they took to `benchmarks/results`. */
export async function benchTraining(rounds: number): Promise<void> {
  const found: Results['workloads'][number][] = []
  for (const workload of workloads) {
    const idle = await idleShare()
    const trained = await timeWorkload(workload, rounds)
    found.push({ name: workload.name, idle, trained, profile: await profile(workload) })
  }
  const date = new Date().toISOString().slice(0, 10)
  const results: Results = { machine: machine(), date, rounds, workloads: found }
  const text = markdown(results)
  const folder = new URL('../../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('training.json', folder), `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(new URL('training.md', folder), text)
  console.log(text)
}

/** Shows where the time of a step goes, and writes nothing. */
export async function profileTraining(): Promise<void> {
  for (const workload of workloads)
    console.log(`\n## ${workload.name}\n\n${table(await profile(workload))}`)
}
