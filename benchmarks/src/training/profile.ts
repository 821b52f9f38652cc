import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diffGrad } from '@diffgrad/core'
import {
  crossEntropy,
  type GradientModel,
  gradientModel,
  type Model,
  type Node,
} from '@diffgrad/onnx'
import { loweringFor, Trainer } from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { examplesOf, modelOf, type Workload } from './workloads.ts'

/** The time of each phase of a train step. */
export interface Profile {
  readonly name: string
  /** In milliseconds per step. */
  readonly step: number
  /** The slowest phase first. */
  readonly phases: readonly {
    readonly phase: string
    readonly milliseconds: number
    /** The slowest operators of the phase, in milliseconds per step. */
    readonly operators: readonly (readonly [operator: string, milliseconds: number])[]
  }[]
}

/** A trace event of ONNX Runtime's profiler. Times are in microseconds. */
interface TraceEvent {
  readonly name: string
  readonly dur: number
  readonly args?: { readonly op_name?: string }
}

const steps = 5
const kernelSuffix = '_kernel_time'

/** Profiles some train steps after a first one. */
export async function profile(workload: Workload): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-profile-'))
  const forward = modelOf(workload)
  const lowering = await loweringFor(ort)
  const options = { loss: crossEntropy(), dimensions: { batch: workload.batch }, lowering }
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
  // ONNX Runtime writes a JSON array of trace events.
  const events: readonly TraceEvent[] = files.flatMap((text) => JSON.parse(text))
  const phases = sumByPhase(events, nodePhases(gradientModel(forward, options)), step)
  return { name: workload.name, step, phases }
}

/** Sums the kernel times of all steps but the first, by phase and operator. */
function sumByPhase(
  events: readonly TraceEvent[],
  phaseOf: ReadonlyMap<string, Phase>,
  step: number,
): Profile['phases'] {
  const times = new Map<string, Map<string, number>>()
  const seen = new Set<string>()
  for (const { name, dur, args } of events) {
    if (!name.endsWith(kernelSuffix)) continue
    const first = !seen.has(name)
    seen.add(name)
    if (first) continue
    const node = name.slice(0, -kernelSuffix.length)
    const phase = phaseOf.get(node) ?? 'nodes that the runtime fused or added'
    const operators = times.get(phase) ?? new Map<string, number>()
    times.set(phase, operators)
    const operator = args?.op_name ?? 'unknown'
    operators.set(operator, (operators.get(operator) ?? 0) + dur / 1000 / steps)
  }
  const phases = [...times].map(([phase, operators]) => ({
    phase,
    milliseconds: [...operators.values()].reduce((a, b) => a + b),
    operators: [...operators].toSorted(([, a], [, b]) => b - a).slice(0, 4),
  }))
  const computed = phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const remainder = {
    phase: 'between the nodes, copies of outputs, update',
    milliseconds: step - computed,
    operators: [],
  }
  return [...phases.toSorted((a, b) => b.milliseconds - a.milliseconds), remainder]
}

type Phase = 'forward' | 'gradients of images' | 'gradients of weights' | 'other gradients'

/** The operators of the forms in which an image's gradient is computed. */
const imageOperators: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'ReorderInput', 'ReorderOutput'],
  ...['Gemm', 'Gather', 'Transpose', 'Concat'],
])

/**
 * The phase of each node of a gradient model, by the name of the node. Ancestors of the loss are
 * forward. Of the others, ancestors of one weight's gradient alone compute that gradient, and
 * convolutions and products, with the layouts of both, compute gradients of images.
 */
function nodePhases({ model, loss, parameters }: GradientModel): ReadonlyMap<string, Phase> {
  const forward = ancestors(model, loss)
  const gradients = [...parameters.values()].map(({ gradient, initial }) => ({
    isMatrix: initial.shape.length > 1,
    nodes: ancestors(model, gradient),
  }))
  const uses = new Map<Node, number>()
  for (const { nodes } of gradients) {
    for (const node of nodes) uses.set(node, (uses.get(node) ?? 0) + 1)
  }
  const weights = new Set(
    gradients.flatMap(({ isMatrix, nodes }) =>
      isMatrix ? [...nodes].filter((node) => uses.get(node) === 1) : [],
    ),
  )
  const phaseOf = (node: Node): Phase => {
    if (forward.has(node)) return 'forward'
    if (weights.has(node)) return 'gradients of weights'
    return imageOperators.has(node.operator) ? 'gradients of images' : 'other gradients'
  }
  return new Map(model.nodes.map((node) => [node.name, phaseOf(node)]))
}

/** The nodes that a value depends on. */
function ancestors({ nodes }: Model, value: string): ReadonlySet<Node> {
  const values = new Set([value])
  const found = new Set<Node>()
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => values.has(name))) continue
    found.add(node)
    for (const name of node.inputs) values.add(name)
  }
  return found
}
