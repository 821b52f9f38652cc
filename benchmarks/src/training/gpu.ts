import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { diffGrad, stepKernels } from '@diffgrad/core'
import { crossEntropy, trainStepModel } from '@diffgrad/onnx'
import { findAdapter } from '@diffgrad/onnx-tfjs/adapter'
import { loweringFor } from '@diffgrad/onnxruntime'
import { machine, requireIdle, today } from '@diffgrad/testing/machine'
import * as ort from 'onnxruntime-node'
import {
  BenchmarkProcess,
  type Command,
  findPyTorch,
  scriptCommand,
  timeRounds,
} from '../child-process.ts'
import { formatSummary, markdownTable, ratio, summarize, writeResults } from '../report.ts'
import { gpuWorkloads, modelOf, type Workload } from './workloads.ts'

/** How train steps on a graphics card are timed. */
export interface GpuOptions {
  readonly rounds: number
  readonly busy?: boolean
  /** Only workloads whose names contain this text are timed. */
  readonly only: string
}

const cpu = 'onnxruntime-node, CPU'

/**
 * Measures train steps on the graphics card that WebGPU finds, beside the CPU and PyTorch on CUDA. Results of
 * a software adapter are printed, and not written: they say nothing of a card.
 */
export async function benchGpu({ rounds, busy = false, only }: GpuOptions): Promise<void> {
  const { adapter, missing } = findAdapter()
  if (!adapter) throw new Error(`webgpu: there must be an adapter, but there is none (${missing})`)
  await requireIdle(busy)
  const tables: string[] = []
  const results: object[] = []
  for (const workload of gpuWorkloads.filter(({ name }) => name.includes(only))) {
    const entries = []
    for (const [name, command] of commandsFor(workload)) {
      const timed = new BenchmarkProcess(command)
      if (!(await timed.ready())) throw new Error(`${name} did not start`)
      await timed.time(2) // Warm-up.
      entries.push({ name, timed, steps: (await timed.time(1)) < 500 ? 10 : 1 })
    }
    const timings = await timeRounds(entries, rounds)
    for (const { timed } of entries) timed.end()
    const nodes = await nodeCounts(workload)
    const onCpu = timings.find(({ name }) => name === cpu)?.timings ?? []
    const rows = timings.map(({ name, timings: each }) => [
      name,
      formatSummary(summarize(each)),
      `${ratio(each, onCpu).toFixed(2)} ×`,
      summarize(each.map((time) => (1000 * workload.batch) / time)).median.toFixed(0),
    ])
    const table = markdownTable(['', 'ms a step', '× CPU', 'images/s'], rows)
    tables.push(
      `## ${workload.name}\n\n${table}\n\nNodes of the step: ${nodes.flat}; with an update for each parameter: ${nodes.separate}.\n`,
    )
    console.log(tables.at(-1))
    results.push({
      name: workload.name,
      nodes,
      timings: timings.map(({ name, timings: all }) => ({ name, timings: all })),
    })
  }
  const { processor, cores, system, node } = machine()
  const header = `# Train steps on a graphics card\n\n${adapter.name}; beside it ${processor}, ${cores} cores, ${system}, Node ${node}. ${today()}, ${rounds} rounds, by \`pnpm bench gpu\`.\n`
  if (adapter.isSoftware) console.log(`${adapter.name} is software: no results are written.`)
  else if (only === '')
    writeResults('gpu', { adapter, date: today(), results }, [header, ...tables].join('\n'))
}

const resolve = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

function commandsFor({ name, network, size, batch }: Workload): ReadonlyMap<string, Command> {
  const script = resolve('run-trainer.ts')
  const commands = new Map<string, Command>([
    ['onnxruntime-node, WebGPU', scriptCommand(script, 'webgpu', 'graph', name)],
    [cpu, scriptCommand(script, 'node', 'kernel', name)],
  ])
  const python = findPyTorch()
  if (python && hasCuda(python)) {
    const script = resolve('pytorch.py')
    const shape = [network, `${size}`, 'channels_last', 'cuda', `${batch}`]
    commands.set('PyTorch, CUDA', [python, script, ...shape])
  }
  return commands
}

function hasCuda(python: string): boolean {
  const program = 'import torch; print(torch.cuda.is_available())'
  return execFileSync(python, ['-c', program], { encoding: 'utf8' }).trim() === 'True'
}

/** The nodes of a step in the form for WebGPU, with the parameters in one vector and with each alone. */
async function nodeCounts(
  workload: Workload,
): Promise<{ readonly flat: number; readonly separate: number }> {
  const forward = modelOf(workload)
  const lowering = await loweringFor(ort, { executionProviders: ['webgpu'] })
  const { update } = stepKernels(diffGrad, diffGrad.defaults, 1)
  const options = { loss: crossEntropy(), dimensions: { batch: workload.batch }, lowering }
  const separate = trainStepModel(forward, { ...options, update })
  const parameters = [...separate.arrays.keys()].flatMap((key) => {
    const [array, parameter] = key.split('\n')
    return array === 'theta' ? [parameter] : []
  })
  const flat = trainStepModel(forward, { ...options, update, flat: [parameters] })
  return { flat: flat.model.nodes.length, separate: separate.model.nodes.length }
}
