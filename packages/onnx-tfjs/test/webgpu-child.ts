import { create, globals } from 'webgpu'

// Trains on webgpu in Node, and prints the losses and what each step asks of the device.

// Defines WebGPU as a page has it, before the modules of TensorFlow.js look for it.
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu: create([]), userAgent: 'node' },
  configurable: true,
})
const { backend, setBackend } = await import('@tensorflow/tfjs-core')
await import('@tensorflow/tfjs')
await import('@tensorflow/tfjs-backend-webgpu')
const { prepareWebGpu } = await import('@diffgrad/onnx-tfjs')
const { train } = await import('./small-training.ts')

await setBackend('webgpu')
prepareWebGpu()

const counts = { reads: 0, submits: 0, buffers: 0 }

/** Counts the calls of a method of the backend, or of a member of it. */
function count(member: object, method: string, name: keyof typeof counts): void {
  const original: unknown = Reflect.get(member, method)
  if (typeof original !== 'function') throw new TypeError(`there is no ${method}`)
  Reflect.set(member, method, function (this: unknown, ...args: readonly unknown[]) {
    counts[name]++
    return Reflect.apply(original, this, args)
  })
}

count(backend(), 'getBufferData', 'reads')
count(Reflect.get(backend(), 'queue'), 'submit', 'submits')
count(Reflect.get(backend(), 'device'), 'createBuffer', 'buffers')

const steps: unknown[] = []
for await (const loss of train()) {
  steps.push({ loss, ...counts })
  Object.assign(counts, { reads: 0, submits: 0, buffers: 0 })
}
process.stdout.write(JSON.stringify(steps), () => process.exit(0)) // The device keeps it alive.
