import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { Trainer } from '@diffgrad/onnxruntime'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { serve } from './serve.ts'
import { batch, examplesOf, modelOf, workloads } from './workloads.ts'

// One way to train, in a process of its own.
const [runtime, update, name] = process.argv.slice(2)
const workload = workloads.find((candidate) => candidate.name === name)
if (!workload) throw new RangeError(`there is no workload ${name}`)
web.env.wasm.numThreads = 2
const trainer = await Trainer.create(runtime === 'web' ? web : node, modelOf(workload), {
  loss: crossEntropy(),
  optimizer: { rule: diffGrad },
  dimensions: { batch },
  update: update === 'graph' ? 'graph' : 'kernel',
  session: { intraOpNumThreads: 2 },
})
const examples = examplesOf(workload)
await serve(() => trainer.step(examples))
