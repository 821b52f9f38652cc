import { allocate, DiffGrad } from '../src/index.ts'

// Prints how many threads work, and does not dispose of them.
const { parameters, gradients } = allocate({ w: [300_000] }, { shared: true })
const optimizer = new DiffGrad(parameters, { threads: 2 })
await optimizer.ready
optimizer.step(gradients)
console.log(`${optimizer.kernel.threads} threads`)
