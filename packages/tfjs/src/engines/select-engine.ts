import type { Graph } from '@diffgrad/core'
import type { GeneratedKernels } from '@diffgrad/kernels'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import { CpuEngine, isCpu } from './cpu.ts'
import { type BackendEngine, getOrInsertComputed } from './engine.ts'
import { tensorOpsEngine } from './tensors.ts'
import { isWasm, WasmEngine } from './wasm.ts'
import { isWebgl, WebglEngine } from './webgl.ts'
import { isWebgpu, WebgpuEngine } from './webgpu.ts'

/** Selects the engine for a kernel on a backend. */
export type SelectEngine = (backend: KernelBackend, graph: Graph) => BackendEngine

/**
 * Selects the fused engine of a backend if there is one that supports the kernel, else the operations
 * of TensorFlow.js.
 *
 * @param precompiled - kernels for the cpu backend where WebAssembly is forbidden, generated at build
 * time.
 */
export function selectEngine(precompiled: GeneratedKernels): SelectEngine {
  const cpuEngines = new WeakMap<KernelBackend, BackendEngine>()
  return (backend, graph) => {
    const engine = isCpu(backend)
      ? getOrInsertComputed(cpuEngines, backend, () => new CpuEngine(backend, precompiled))
      : getOrInsertComputed(sharedEngines, backend, () => createEngine(backend))
    return engine.supports(graph) ? engine : tensorOpsEngine
  }
}

/** Engines without precompiled kernels, which all optimizers share. */
const sharedEngines = new WeakMap<KernelBackend, BackendEngine>()

function createEngine(backend: KernelBackend): BackendEngine {
  if (isWasm(backend)) return WasmEngine.of(backend) ?? tensorOpsEngine
  if (isWebgl(backend)) return new WebglEngine(backend)
  if (isWebgpu(backend)) return new WebgpuEngine(backend)
  return tensorOpsEngine
}
