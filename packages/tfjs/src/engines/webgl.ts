import type { Graph } from '@diffgrad/core'
import { type GlslProgram, glsl } from '@diffgrad/kernels'
import {
  type DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core'
import {
  type BackendEngine,
  getOrInsertComputed,
  isDataStorage,
  type KernelLaunch,
  positionCount,
  setData,
  variableOf,
} from './engine.ts'

/** A program in the form that the webgl backend runs. */
interface WebglProgram {
  readonly variableNames: readonly string[]
  readonly outputShape: readonly number[]
  readonly userCode: string
  readonly customUniforms: readonly { readonly name: string; readonly type: 'float' }[]
  readonly enableShapeUniforms: boolean
  readonly packedInputs: boolean
  readonly packedOutput: boolean
}

/** The members of the webgl backend that are used here. */
interface WebglBackend extends KernelBackend {
  readonly texData: DataStorage<{ readonly isPacked?: boolean; readonly texture: unknown }>
  uploadToGPU(dataId: object): void
  runWebGLProgram(
    program: WebglProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
    preventEagerUnpacking: boolean,
  ): TensorInfo
}

/** Whether a backend is the webgl backend. */
export const isWebgl = (backend: KernelBackend): backend is WebglBackend =>
  'texData' in backend && isDataStorage(backend.texData) && 'runWebGLProgram' in backend

/** Runs kernels as fragment shaders: one draw for each array that is computed, none for a copy. */
export class WebglEngine implements BackendEngine {
  readonly #backend: WebglBackend
  readonly #packed = new WeakMap<Graph, readonly GlslProgram[]>()
  readonly #unpacked = new WeakMap<Graph, readonly GlslProgram[]>()

  constructor(backend: WebglBackend) {
    this.#backend = backend
  }

  supports(): boolean {
    return true
  }

  run(launch: KernelLaunch): void {
    const { graph, lists, coefficients } = launch
    const reads = [...graph.reads]
    // Small tensors that are still on the CPU would be passed as uniforms, and the user may refill their data.
    for (const { dataId } of reads.flatMap((name) => lists[name])) this.#backend.uploadToGPU(dataId)
    for (let k = 0; k < positionCount(launch); k++) {
      const array = (name: string): Tensor => lists[name][k]
      // Packed like the gradient, so that its texture is never converted, nor any other after the first step.
      const packed = this.#isPacked(array(reads.includes('g') ? 'g' : reads[0]))
      const cache = packed ? this.#packed : this.#unpacked
      const programs = getOrInsertComputed(cache, graph, () => glsl(graph, packed))
      const results = programs.map((program) => {
        const inputs = program.reads.map((name) => reshaped(array(name), packed))
        const { shape } = reshaped(array(program.output), packed)
        const uniforms = program.coefficients.map(({ name }) => [coefficients[name]])
        const output = this.#backend.runWebGLProgram(
          webglProgram(program, shape, packed),
          inputs,
          'float32',
          uniforms,
          true,
        )
        return [program.output, output] as const
      })
      const copies = graph.outputs.flatMap(([name, node]) => {
        if (node.op !== 'array' || node.name === name) return []
        const from = array(node.name)
        // A clone keeps the old data of an array that is written itself.
        return [{ name, from, clone: graph.writes.has(node.name) ? from.clone() : undefined }]
      })
      for (const [name, output] of results) setData(this.#backend, array(name), output)
      for (const { name, from, clone } of copies) {
        variableOf(array(name)).assign(clone ?? from)
        clone?.dispose()
      }
    }
  }

  #isPacked({ dataId }: Tensor): boolean {
    return this.#backend.texData.get(dataId).isPacked === true
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

/** The same data with as many axes as programs support: three for a packed texture, else at most four. */
function reshaped({ dataId, shape }: Tensor, packed: boolean): TensorInfo {
  if (!packed && shape.length <= 4) return { dataId, shape, dtype: 'float32' }
  const size = util.sizeFromShape(shape)
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
  const newShape = packed ? [size / (rows * columns), rows, columns] : [size]
  return { dataId, shape: newShape, dtype: 'float32' }
}
