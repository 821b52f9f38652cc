import '@tensorflow/tfjs-backend-wasm'
import { createInterface } from 'node:readline'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { contenderOf, timed } from './contenders.ts'

// One contender in a process of its own. Prints "ready"; then for each line, a number of steps, the
// milliseconds that one of them took.
const [backend, optimizer, workload] = process.argv.slice(2)
registerWasmGradients()
await tf.setBackend(backend)
const contender = contenderOf(optimizer, workload)
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(await timed(contender, Number(line)))
}
