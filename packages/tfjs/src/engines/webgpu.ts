import type { Graph } from '@diffgrad/core'
import { type WgslBinding, type WgslProgram, wgsl, workgroupSize } from '@diffgrad/kernels'
import type { DataStorage, KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import {
  type BackendEngine,
  getOrInsertComputed,
  isDataStorage,
  type KernelLaunch,
  positionCount,
  setData,
} from './engine.ts'

/** The members of the webgpu backend that are used here. */
interface WebgpuBackend extends KernelBackend {
  readonly device: GPUDevice
  readonly tensorMap: DataStorage<{ readonly resource: GPUBuffer; values: unknown }>
  readonly commandEncoder: GPUCommandEncoder | null
  /** The data that commands use which wait for their submission: its buffers are not given away before. */
  readonly commandQueueOwnedIds: WeakSet<object>
  uploadToGPU(dataId: object): void
  makeTensorInfo(shape: number[], dtype: 'float32'): TensorInfo
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

/** Whether a backend is the webgpu backend. */
export const isWebgpu = (backend: KernelBackend): backend is WebgpuBackend =>
  'tensorMap' in backend &&
  isDataStorage(backend.tensorMap) &&
  'commandEncoder' in backend &&
  'commandQueueOwnedIds' in backend &&
  'ensureCommandEncoderReady' in backend

/** A compiled program, and the buffer for its coefficients, if it has any. */
interface Pipeline {
  readonly pipeline: GPUComputePipeline
  readonly uniform: GPUBuffer | undefined
}

type CompiledProgram = WgslProgram & Pipeline

/** Launches whose commands wait for their submission. */
interface WaitingLaunches {
  readonly encoder: GPUCommandEncoder
  /** The buffers that they read their coefficients from. */
  readonly uniforms: Set<GPUBuffer>
}

/** The most workgroups along one axis that WebGPU guarantees. */
const maxWorkgroups = 65535

/**
 * Runs kernels as compute shaders: one dispatch for each position, in the backend's own command encoder.
 * The backend submits it with its next commands, or when data is read.
 */
export class WebgpuEngine implements BackendEngine {
  readonly #backend: WebgpuBackend
  /** By graph, and then by the arrays that are overwritten in place. */
  readonly #programs = new WeakMap<Graph, Map<string, CompiledProgram>>()
  /** By source: kernels of equal source share a pipeline, whatever the names of their arrays. */
  readonly #pipelines = new Map<string, Pipeline>()
  /** The encoder of the latest launches, and the uniform buffers that its commands read. */
  #waiting: WaitingLaunches | undefined

  constructor(backend: WebgpuBackend) {
    this.#backend = backend
  }

  supports(graph: Graph): boolean {
    // The parameter takes two buffers, before and after.
    const buffers = graph.arrays.length + 1
    return buffers <= this.#backend.device.limits.maxStorageBuffersPerShaderStage
  }

  run(launch: KernelLaunch): void {
    const { graph, lists, coefficients, dependents, ensureOwned } = launch
    const backend = this.#backend
    const { device } = backend
    const dispatches = Array.from({ length: positionCount(launch) }, (_, k) => {
      const inPlace = new Set<string>()
      const outputs = new Map<string, TensorInfo>()
      for (const name of graph.writes) {
        const array = lists[name][k]
        if (ensureOwned(array)) inPlace.add(name)
        else outputs.set(name, backend.makeTensorInfo(array.shape, 'float32'))
      }
      const { size } = lists[graph.arrays[0]][k]
      return { k, size, program: this.#program(graph, inPlace), outputs }
    }).filter(({ size }) => size > 0)
    if (dispatches.length === 0) return
    const programs = new Set(dispatches.map(({ program }) => program))
    const uniforms = [...programs].flatMap(({ uniform }) => uniform ?? [])
    // The queue writes at once, before commands that wait for their submission.
    if (uniforms.some((uniform) => this.#isRead(uniform))) {
      backend.endComputePassEncoder()
      backend.submitQueue()
    }
    for (const { uniform, coefficients: names } of programs) {
      const scalars = Float32Array.from(names, (name) => coefficients[name])
      if (uniform) device.queue.writeBuffer(uniform, 0, scalars)
    }
    const bindGroups = dispatches.map(({ k, program, outputs }) => {
      const { pipeline, bindings, uniform } = program
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
    // Of all positions, before any command that reads them.
    const copies = dispatches.map(({ k, program }) =>
      program.coefficients.flatMap((name, i) => {
        const tensor = dependents?.[k][name]
        return tensor ? [{ tensor, buffer: this.#buffer(tensor), offset: 4 * i }] : []
      }),
    )
    // In the backend's own encoder, after the commands that it has not submitted yet.
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    const encoder = backend.commandEncoder
    if (!encoder) throw new Error('the webgpu backend has no command encoder')
    let pass: GPUComputePassEncoder | undefined
    for (const [i, { size, program }] of dispatches.entries()) {
      const { pipeline, uniform } = program
      if (uniform && copies[i].length > 0) {
        pass?.end()
        pass = undefined
        for (const { buffer, offset } of copies[i]) {
          encoder.copyBufferToBuffer(buffer, 0, uniform, offset, 4)
        }
      }
      const workgroups = Math.ceil(size / workgroupSize)
      const x = Math.min(workgroups, maxWorkgroups)
      pass ??= encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, bindGroups[i])
      pass.dispatchWorkgroups(x, Math.ceil(workgroups / maxWorkgroups))
    }
    pass?.end()
    if (this.#waiting?.encoder !== encoder) this.#waiting = { encoder, uniforms: new Set() }
    for (const uniform of uniforms) this.#waiting.uniforms.add(uniform)
    for (const { tensor } of copies.flat()) backend.commandQueueOwnedIds.add(tensor.dataId)
    for (const { k, outputs } of dispatches) {
      for (const name of graph.arrays) backend.commandQueueOwnedIds.add(lists[name][k].dataId)
      for (const { dataId } of outputs.values()) backend.commandQueueOwnedIds.add(dataId)
      for (const [name, output] of outputs) setData(backend, lists[name][k], output)
    }
  }

  /** Whether commands that wait for their submission read a buffer of coefficients. */
  #isRead(uniform: GPUBuffer): boolean {
    const { encoder, uniforms } = this.#waiting ?? {}
    return encoder === this.#backend.commandEncoder && uniforms?.has(uniform) === true
  }

  /** The buffer of a tensor. If it is overwritten, drops the copy that the backend may have on the CPU. */
  #buffer({ dataId }: TensorInfo | Tensor, as?: WgslBinding['as']): GPUBuffer {
    this.#backend.uploadToGPU(dataId)
    const data = this.#backend.tensorMap.get(dataId)
    if (as === 'in place') data.values = null
    return data.resource
  }

  #program(graph: Graph, inPlace: ReadonlySet<string>): CompiledProgram {
    const programs = getOrInsertComputed(this.#programs, graph, () => new Map())
    const key = [...inPlace].join()
    return getOrInsertComputed(programs, key, () => this.#compile(wgsl(graph, inPlace)))
  }

  #compile(program: WgslProgram): CompiledProgram {
    const { device } = this.#backend
    const pipeline = getOrInsertComputed(this.#pipelines, program.source, () => {
      const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
      const size = 16 * Math.ceil(program.coefficients.length / 4)
      return {
        pipeline: device.createComputePipeline({
          layout: 'auto',
          compute: { module: device.createShaderModule({ code: program.source }) },
        }),
        uniform: size > 0 ? device.createBuffer({ size, usage }) : undefined,
      }
    })
    return { ...program, ...pipeline }
  }
}
