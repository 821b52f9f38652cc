import { allocate, DiffGrad } from '../src/index.ts'

const { parameters, gradients } = allocate({ w: [300_000] }, { shared: true })
const optimizer = new DiffGrad(parameters, { threads: 2 })
while (optimizer.kernel.threads < 2) await new Promise((done) => setTimeout(done, 5))
optimizer.step(gradients)
console.log(`${optimizer.kernel.threads} threads`)
