import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { python, Runner } from '../arrays/field.ts'
import { idleShare, type Machine, machine } from '../machine.ts'
import { markdown } from './report.ts'
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
  }[]
}

type Command = readonly [file: string, ...args: string[]]

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const trainer = (workload: Workload, runtime: string, update: string): Command => [
  ...([process.execPath, '--import', 'tsx', '--conditions=@diffgrad/source'] as const),
  ...[here('run-trainer.ts'), runtime, update, workload.name],
]

const onTfjs = ({ name }: Workload): Command => [
  ...([process.execPath, '--import', 'tsx', '--conditions=@diffgrad/source'] as const),
  ...[here('run-tfjs.ts'), name],
]

/** Everyone who is there. */
function commandsOf(workload: Workload): ReadonlyMap<string, Command> {
  const commands = new Map([
    ['onnxruntime-node, update by kernels', trainer(workload, 'node', 'kernel')],
    ['onnxruntime-node, update in the graph', trainer(workload, 'node', 'graph')],
    ['onnxruntime-web, update by kernels', trainer(workload, 'web', 'kernel')],
  ])
  const { network, size } = workload
  if (size <= 64) commands.set('TensorFlow.js, wasm, one thread', onTfjs(workload))
  if (python) commands.set('PyTorch', [python, here('pytorch.py'), network, `${size}`])
  return commands
}

async function timeWorkload(workload: Workload, rounds: number): Promise<readonly Trained[]> {
  const entries: { name: string; runner: Runner; timings: number[] }[] = []
  for (const [name, command] of commandsOf(workload)) {
    const runner = new Runner(command)
    if (!(await runner.ready())) throw new Error(`${name} did not start`)
    await runner.time(2)
    entries.push({ name, runner, timings: [] })
  }
  for (let round = 0; round < rounds; round++)
    for (const { runner, timings } of entries) timings.push(await runner.time(2))
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
    found.push({ name: workload.name, idle, trained: await timeWorkload(workload, rounds) })
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
