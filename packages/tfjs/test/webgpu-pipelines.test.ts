import { defineKernel, diffGrad, type Kernel, ruleKernels, trace } from '@diffgrad/core'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebgpuEngine } from '../src/engines/webgpu.ts'

/** An engine on a fake device that counts the pipelines created and the buffers bound. */
function countingEngine() {
  vi.stubGlobal('GPUBufferUsage', { UNIFORM: 1, COPY_DST: 2 })
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const counts = { pipelines: 0, buffers: 0 }
  const device = {
    limits: { maxStorageBuffersPerShaderStage: 8 },
    queue: { writeBuffer() {} },
    createComputePipeline() {
      counts.pipelines++
      return { getBindGroupLayout() {} }
    },
    createShaderModule() {},
    createBuffer: () => ({}),
    createBindGroup({ entries }: { entries: readonly unknown[] }) {
      counts.buffers += entries.length
    },
  }
  const pass = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups() {}, end() {} }
  const backend = {
    device,
    tensorMap: { get: () => ({ resource: {} }) },
    commandEncoder: { beginComputePass: () => pass },
    commandQueueOwnedIds: new WeakSet(),
    uploadToGPU() {},
    makeTensorInfo: () => ({ dataId: {} }),
    ensureCommandEncoderReady() {},
    endComputePassEncoder() {},
    submitQueue() {},
  }
  // It has only the members that the engine uses.
  const engine = new WebgpuEngine(backend as never)
  const run = (kernel: Kernel): void => {
    const graph = trace(kernel)
    const tensor = { size: 4, shape: [4], dataId: {} } as never
    const lists = Object.fromEntries(graph.arrays.map((name) => [name, [tensor]]))
    engine.run({ kernel, graph, lists, coefficients: {}, t: 1, ensureOwned: () => true })
  }
  return { run, counts }
}

test('two optimizers of the same rule share one pipeline', () => {
  const { run, counts } = countingEngine()
  for (const _ of ['first optimizer', 'second optimizer']) {
    run(
      ruleKernels(diffGrad, diffGrad.defaults, { variant: { friction: 0 }, decay: 'none' }).update,
    )
  }
  expect(counts.pipelines).toBe(1)
})

test('kernels of equal source share one pipeline, and each keeps its own arrays', () => {
  const { run, counts } = countingEngine()
  for (const copy of ['slow', 'ema']) {
    run(
      defineKernel({
        name: copy,
        reads: ['theta'],
        writes: [copy],
        coefficients: [],
        evaluate: (_, { theta }) => ({ [copy]: theta }),
      }),
    )
  }
  expect(counts).toEqual({ pipelines: 1, buffers: 4 })
})
