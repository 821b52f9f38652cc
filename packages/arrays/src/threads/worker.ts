import { bind, type WasmKernel } from '../wasm/module.ts'
import { closed, takeChunks, word } from './control.ts'

/** What a helper is started with. */
export interface HelperData {
  readonly control: SharedArrayBuffer
  readonly memory: WebAssembly.Memory
}

/** Takes part in every job until the end, asleep in between. */
function help({ control, memory }: HelperData): void {
  const words = new Int32Array(control)
  const kernels = new Map<number, WasmKernel>()
  let round = Atomics.load(words, word.round)
  const index = Atomics.add(words, word.ready, 1)
  for (;;) {
    Atomics.wait(words, word.round, round)
    const now = Atomics.load(words, word.round)
    if (now === round) continue
    round = now
    const helpers = now & 255
    if (helpers === closed) return
    if (index >= helpers) continue
    try {
      takeChunks(words, current())
    } catch {
      // Without a kernel it takes no chunk, and the other threads do all the work.
    }
    Atomics.add(words, word.finished, 1)
    Atomics.notify(words, word.finished)
  }

  /** The kernel of the current job, compiled when it is met first. */
  function current(): WasmKernel {
    const at = words[word.codeAt]
    const code = new Uint8Array(control, at, words[word.codeLength])
    const kernel = kernels.get(at) ?? bind(new WebAssembly.Module(code.slice()), memory)
    kernels.set(at, kernel)
    return kernel
  }
}

// In Node, what a thread is started with is there from the beginning; in a browser it is a message.
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
if (node) help(node.workerData)
else globalThis.addEventListener('message', ({ data }) => help(data), { once: true })
