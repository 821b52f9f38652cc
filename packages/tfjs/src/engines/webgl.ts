import type { Graph } from '@diffgrad/core'
import { type GlslProgram, glsl } from '@diffgrad/kernels'
import {
  DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine, positionsOf, variableOf } from './engine.ts'

/** A program as the webgl backend takes it. */
interface WebglProgram {
  readonly variableNames: readonly string[]
  readonly outputShape: readonly number[]
  readonly userCode: string
  readonly customUniforms: readonly { readonly name: string; readonly type: 'float' }[]
  readonly enableShapeUniforms: boolean
  readonly packedInputs: boolean
  readonly packedOutput: boolean
}

/** What is used of the webgl backend. */
interface WebglBackend extends KernelBackend {
  readonly texData: DataStorage<{ readonly isPacked?: boolean; readonly texture: unknown }>
  uploadToGPU(dataId: object): void
  runWebGLProgram(
    program: WebglProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
    keepsPacked: boolean,
  ): TensorInfo
}

/** Whether a backend is the webgl backend. */
export const isWebgl = (backend: KernelBackend): backend is WebglBackend =>
  'texData' in backend && backend.texData instanceof DataStorage && 'runWebGLProgram' in backend

/** Kernels as shaders: one draw for each array that is computed, none for one that is passed on. */
export class WebglEngine implements Engine {
  readonly #backend: WebglBackend
  readonly #programs = new WeakMap<Graph, Map<boolean, readonly GlslProgram[]>>()

  constructor(backend: WebglBackend) {
    this.#backend = backend
  }

  takes(): boolean {
    return true
  }

  run(call: Call): void {
    const { graph, lists, coefficients } = call
    const read = [...graph.reads]
    const written = graph.writes
    // Small tensors that are still on the CPU would go as uniforms; and their data may be refilled.
    for (const { dataId } of read.flatMap((name) => lists[name])) this.#backend.uploadToGPU(dataId)
    for (let k = 0; k < positionsOf(call); k++) {
      const array = (name: string): Tensor => lists[name][k]
      const packed = this.#isPacked(array(read.includes('g') ? 'g' : read[0]))
      const results = this.#programsOf(graph, packed).map((program) => {
        const inputs = program.reads.map((name) => shaped(array(name), packed))
        const { shape } = shaped(array(program.output), packed)
        const uniforms = program.coefficients.map(({ name }) => [coefficients[name]])
        const made = this.#backend.runWebGLProgram(
          webglProgram(program, shape, packed),
          inputs,
          'float32',
          uniforms,
          true,
        )
        return [program.output, made] as const
      })
      const passedOn = graph.outputs.flatMap(([name, node]) => {
        if (node.op !== 'array' || node.name === name) return []
        const source = array(node.name)
        // What is itself written has to be held on to.
        return [{ name, source, held: written.has(node.name) ? source.clone() : undefined }]
      })
      for (const [name, made] of results) adopt(this.#backend, array(name), made)
      for (const { name, source, held } of passedOn) {
        variableOf(array(name)).assign(held ?? source)
        held?.dispose()
      }
    }
  }

  /** Gradients come as their operations made them; all else then is kept alike, and never converted. */
  #isPacked({ dataId }: Tensor): boolean {
    return this.#backend.texData.get(dataId).isPacked === true
  }

  #programsOf(graph: Graph, packed: boolean): readonly GlslProgram[] {
    const programs = this.#programs.get(graph) ?? new Map<boolean, readonly GlslProgram[]>()
    this.#programs.set(graph, programs)
    const known = programs.get(packed) ?? glsl(graph, packed)
    programs.set(packed, known)
    return known
  }
}

const webglProgram = (
  { reads, coefficients, source }: GlslProgram,
  outputShape: readonly number[],
  packed: boolean,
): WebglProgram => ({
  variableNames: reads.map((_, i) => `A${i}`),
  outputShape,
  userCode: source,
  customUniforms: coefficients.map(({ uniform }) => ({ name: uniform, type: 'float' })),
  enableShapeUniforms: true,
  packedInputs: packed,
  packedOutput: packed,
})

/** The same data with as many axes as programs are written for: a packed texture's are always three. */
function shaped({ dataId, shape }: Tensor, packed: boolean): TensorInfo {
  if (!packed && shape.length <= 4) return { dataId, shape, dtype: 'float32' }
  const size = util.sizeFromShape(shape)
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
  const own = packed ? [size / (rows * columns), rows, columns] : [size]
  return { dataId, shape: own, dtype: 'float32' }
}
