import { instantiate, type KernelFunction } from '../wasm/module.ts'
import { closed, runChunks, type WorkerInput, word } from './control-block.ts'

/** Takes part in every generation until the pool closes, and sleeps in between. */
function work({ control, memory }: WorkerInput, reportStarted: () => void): void {
  const words = new Int32Array(control)
  const kernels = new Map<number, KernelFunction>()
  let generation = Atomics.load(words, word.generation)
  const index = Atomics.add(words, word.started, 1)
  reportStarted()
  for (;;) {
    Atomics.wait(words, word.generation, generation)
    const current = Atomics.load(words, word.generation)
    if (current === generation) continue
    generation = current
    const workers = current & 255
    if (workers === closed) return
    if (index >= workers) continue
    try {
      runChunks(words, currentKernel())
    } catch {
      // A worker that cannot load the kernel takes no chunk; the other threads compute them all.
    }
    Atomics.add(words, word.finished, 1)
    Atomics.notify(words, word.finished)
  }

  /** The kernel of the current generation, compiled when it first runs. */
  function currentKernel(): KernelFunction {
    const at = words[word.codeAt]
    const code = new Uint8Array(control, at, words[word.codeLength])
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
