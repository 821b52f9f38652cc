import type { Graph } from '@diffgrad/core'
import { type WgslProgram, wgsl, workgroupSize } from '@diffgrad/kernels'
import {
  DataStorage,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { adopt, type Call, type Engine, positionsOf } from './engine.ts'

/** What is used of the webgpu backend. */
interface WebgpuBackend extends KernelBackend {
  readonly device: GPUDevice
  readonly tensorMap: DataStorage<{ readonly resource: GPUBuffer; values: unknown }>
  readonly commandEncoder: GPUCommandEncoder
  uploadToGPU(dataId: object): void
  makeTensorInfo(shape: number[], dtype: 'float32'): TensorInfo
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

/** Whether a backend is the webgpu backend. */
export const isWebgpu = (backend: KernelBackend): backend is WebgpuBackend =>
  'tensorMap' in backend &&
  backend.tensorMap instanceof DataStorage &&
  'commandEncoder' in backend &&
  'ensureCommandEncoderReady' in backend

/** A program that is ready to run. */
interface Ready extends WgslProgram {
  readonly pipeline: GPUComputePipeline
  /** Where the coefficients go. */
  readonly uniform: GPUBuffer | undefined
}

/** The most workgroups along one axis. */
const mostGroups = 65535

/** Kernels as compute shaders: one dispatch for each position, and one submit for all. */
export class WebgpuEngine implements Engine {
  readonly #backend: WebgpuBackend
  readonly #programs = new WeakMap<Graph, Map<string, Ready>>()
  /** By source: kernels with equal sources share a pipeline, whatever their arrays are called. */
  readonly #compiled = new Map<string, Pick<Ready, 'pipeline' | 'uniform'>>()

  constructor(backend: WebgpuBackend) {
    this.#backend = backend
  }

  takes(graph: Graph): boolean {
    // The parameter takes two, before and after.
    const buffers = graph.arrays.length + 1
    return buffers <= this.#backend.device.limits.maxStorageBuffersPerShaderStage
  }

  run(call: Call): void {
    const { graph, lists, coefficients, inPlace } = call
    const backend = this.#backend
    const { device } = backend
    const written = graph.writes
    const dispatches = Array.from({ length: positionsOf(call) }, (_, k) => {
      const own = [...written].filter((name) => inPlace(lists[name][k]))
      const outputs = new Map<string, TensorInfo>()
      for (const name of written) {
        if (own.includes(name)) continue
        outputs.set(name, backend.makeTensorInfo(lists[name][k].shape, 'float32'))
      }
      return { k, program: this.#program(graph, new Set(own)), outputs }
    }).filter(({ k }) => lists[graph.arrays[0]][k].size > 0)
    if (dispatches.length === 0) return
    for (const { uniform, coefficients: names } of new Set(dispatches.map((d) => d.program))) {
      const scalars = Float32Array.from(names, (name) => coefficients[name])
      if (uniform) device.queue.writeBuffer(uniform, 0, scalars)
    }
    const groups = dispatches.map(({ k, program: { pipeline, bindings, uniform }, outputs }) => {
      const buffers = bindings.map(({ array, as }) => {
        const output = outputs.get(array)
        return as === 'after' && output ? this.#buffer(output) : this.#buffer(lists[array][k], as)
      })
      return device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [...buffers, ...(uniform ? [uniform] : [])].map((buffer, binding) => {
          return { binding, resource: { buffer } }
        }),
      })
    })
    // In the backend's own encoder, behind whatever it has not submitted yet.
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    const pass = backend.commandEncoder.beginComputePass()
    for (const [i, { k, program }] of dispatches.entries()) {
      const count = Math.ceil(lists[graph.arrays[0]][k].size / workgroupSize)
      pass.setPipeline(program.pipeline)
      pass.setBindGroup(0, groups[i])
      pass.dispatchWorkgroups(Math.min(count, mostGroups), Math.ceil(count / mostGroups))
    }
    pass.end()
    backend.submitQueue()
    for (const { k, outputs } of dispatches) {
      for (const [name, output] of outputs) adopt(backend, lists[name][k], output)
    }
  }

  /** The buffer of a tensor. What is overwritten loses the copy that the backend may have on the CPU. */
  #buffer({ dataId }: TensorInfo | Tensor, as?: string): GPUBuffer {
    this.#backend.uploadToGPU(dataId)
    const data = this.#backend.tensorMap.get(dataId)
    if (as === 'in place') data.values = null
    return data.resource
  }

  #program(graph: Graph, inPlace: ReadonlySet<string>): Ready {
    const programs = this.#programs.get(graph) ?? new Map<string, Ready>()
    this.#programs.set(graph, programs)
    const key = [...inPlace].join()
    const known = programs.get(key) ?? this.#compile(wgsl(graph, inPlace))
    programs.set(key, known)
    return known
  }

  #compile(program: WgslProgram): Ready {
    const known = this.#compiled.get(program.source)
    if (known) return { ...program, ...known }
    const { device } = this.#backend
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code: program.source }) },
    })
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
    const size = 16 * Math.ceil(program.coefficients.length / 4)
    const uniform = size > 0 ? device.createBuffer({ size, usage }) : undefined
    this.#compiled.set(program.source, { pipeline, uniform })
    return { ...program, pipeline, uniform }
  }
}
