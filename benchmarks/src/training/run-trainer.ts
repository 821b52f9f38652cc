import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { Trainer } from '@diffgrad/onnxruntime'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { serveTimings, timeSteps } from '../child-process.ts'
import { examplesOf, findWorkload, modelOf } from './workloads.ts'

// Child process: trains a workload on ONNX Runtime.
const [runtime, update, name, form] = process.argv.slice(2)
const workload = findWorkload(name)
web.env.wasm.numThreads = 2
const trainer = await Trainer.create(runtime === 'web' ? web : node, modelOf(workload), {
  loss: crossEntropy(),
  optimizer: { rule: diffGrad },
  dimensions: { batch: workload.batch },
  // Small maps as products of matrices, or as the convolutions that they are.
  ...(form === 'convolutions' && { lowering: { productUpTo: 0 } }),
  update: update as 'graph' | 'kernel',
  session: runtime === 'webgpu' ? { executionProviders: ['webgpu'] } : { intraOpNumThreads: 2 },
})
const examples = examplesOf(workload)
await serveTimings((steps) => timeSteps(() => trainer.step(examples), steps))
