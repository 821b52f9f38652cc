import { writeFileSync } from 'node:fs'
import { create, globals } from 'webgpu'

// Defines WebGPU as a page has it, before the modules of TensorFlow.js look for it.
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu: create([]), userAgent: 'node' },
  configurable: true,
})
await import('@tensorflow/tfjs')
await import('@tensorflow/tfjs-backend-webgpu')
const { runChecks } = await import('../run-checks.ts')

writeFileSync(process.argv[2], JSON.stringify(await runChecks('webgpu')))
process.exit(0) // The device would keep the process alive.
