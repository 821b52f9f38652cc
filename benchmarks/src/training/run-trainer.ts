import { createInterface } from 'node:readline'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy, seeded } from '@diffgrad/onnx'
import { Trainer } from '@diffgrad/onnxruntime'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { batch, modelOf, workloads } from './workloads.ts'

// One way to train in a process of its own. Prints "ready"; then for each line, a number of steps,
// the milliseconds that one of them took; for "memory", the most that was resident, in bytes.
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
const random = seeded(2)
const examples = {
  input: Float32Array.from({ length: batch * 3 * workload.size ** 2 }, () => random.normal()),
  target: Array.from({ length: batch }, (_, i) => i % 10),
}
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'memory') {
    console.log(1024 * process.resourceUsage().maxRSS)
    continue
  }
  const start = performance.now()
  for (let k = 0; k < Number(line); k++) await trainer.step(examples)
  console.log((performance.now() - start) / Number(line))
}
