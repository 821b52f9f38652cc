import { instantiate, type KernelFunction } from '../wasm/module.ts'
import { closed, field, runChunks, type WorkerInput } from './control-block.ts'

/** Takes part in every generation until the pool closes, and sleeps in between. */
function work({ controlBlock, memory }: WorkerInput, reportStarted: () => void): void {
  const fields = new Int32Array(controlBlock)
  const kernels = new Map<number, KernelFunction>()
  let generation = Atomics.load(fields, field.generation)
  const index = Atomics.add(fields, field.started, 1)
  reportStarted()
  for (;;) {
    Atomics.wait(fields, field.generation, generation)
    const current = Atomics.load(fields, field.generation)
    if (current === generation) continue
    generation = current
    const workers = current & 255
    if (workers === closed) return
    if (index >= workers) continue
    try {
      runChunks(fields, currentKernel())
    } catch {
      // A worker that cannot load the kernel takes no chunk; the other threads compute them all.
    }
    Atomics.add(fields, field.finished, 1)
    Atomics.notify(fields, field.finished)
  }

  /** The kernel of the current generation, compiled when it first runs. */
  function currentKernel(): KernelFunction {
    const at = fields[field.codeAt]
    const code = new Uint8Array(controlBlock, at, fields[field.codeLength])
    const kernel = kernels.get(at) ?? instantiate(new WebAssembly.Module(code.slice()), memory)
    kernels.set(at, kernel)
    return kernel
  }
}

// Node passes a worker its input when it starts it, a browser in a message.
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
if (node) {
  work(node.workerData, () => node.parentPort?.postMessage('started'))
} else {
  const report = (): void => globalThis.postMessage('started')
  globalThis.addEventListener('message', ({ data }) => work(data, report), { once: true })
}
