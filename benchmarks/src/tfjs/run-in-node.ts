import '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { serveTimings } from '../child-process.ts'
import { createStepper, timeSteps } from './steppers.ts'

// Child process: one optimizer on one workload and backend.
const [backend, optimizer, workload] = process.argv.slice(2)
registerWasmGradients()
await tf.setBackend(backend)
const stepper = createStepper(optimizer, workload)
await serveTimings((steps) => timeSteps(stepper, steps))
