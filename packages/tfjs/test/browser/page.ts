import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { judge } from '../judge.ts'

setWasmPaths('/wasm/')
Object.assign(globalThis, { judge })
