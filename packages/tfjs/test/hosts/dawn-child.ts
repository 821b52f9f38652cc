import { writeFileSync } from 'node:fs'
import { create, globals } from 'webgpu'

// WebGPU as a page has it, before anything of TensorFlow.js looks for it.
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu: create([]), userAgent: 'node' },
  configurable: true,
})
await import('@tensorflow/tfjs')
await import('@tensorflow/tfjs-backend-webgpu')
const { judge } = await import('../judge.ts')

writeFileSync(process.argv[2], JSON.stringify(await judge('webgpu')))
process.exit(0) // The device would keep the process alive.
