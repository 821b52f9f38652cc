import type { Graph } from '@diffgrad/core'
import type { GeneratedKernels } from '@diffgrad/kernels'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import { CpuEngine, isCpu } from './cpu.ts'
import type { Engine } from './engine.ts'
import { tensorEngine } from './tensors.ts'
import { isWasm, WasmEngine } from './wasm.ts'
import { isWebgl, WebglEngine } from './webgl.ts'
import { isWebgpu, WebgpuEngine } from './webgpu.ts'

/** Finds the engine for a kernel on a backend. */
export type ChooseEngine = (backend: KernelBackend, graph: Graph) => Engine

/**
 * The fused engine of a backend, where there is one that can run the kernel; else the operations of
 * TensorFlow.js.
 *
 * @param made - loops for the cpu backend where WebAssembly is forbidden, made at build time.
 */
export function fused(made: GeneratedKernels): ChooseEngine {
  const engines = new WeakMap<KernelBackend, Engine>()
  return (backend, graph) => {
    const engine = engines.get(backend) ?? engineOf(backend, made)
    engines.set(backend, engine)
    return engine.takes(graph) ? engine : tensorEngine
  }
}

/** Engines that serve all optimizers alike. */
const shared = new WeakMap<KernelBackend, Engine>()

function engineOf(backend: KernelBackend, made: GeneratedKernels): Engine {
  if (isCpu(backend)) return new CpuEngine(backend, made)
  const engine = shared.get(backend) ?? sharedEngine(backend)
  shared.set(backend, engine)
  return engine
}

function sharedEngine(backend: KernelBackend): Engine {
  if (isWasm(backend)) return WasmEngine.of(backend) ?? tensorEngine
  if (isWebgl(backend)) return new WebglEngine(backend)
  if (isWebgpu(backend)) return new WebgpuEngine(backend)
  return tensorEngine
}
