import { allocate, DiffGrad } from '../src/index.ts'

// Drops an optimizer without disposing of it, collects garbage, and prints how many of its workers ended.
// The worker of tsx, which announces itself in the next tick, is not one of them.
await new Promise((resolve) => setImmediate(resolve))
let [started, ended] = [0, 0]
process.on('worker', (worker) => {
  started++
  worker.once('exit', () => ended++)
})

async function train(): Promise<void> {
  const { parameters, gradients } = allocate({ w: [300_000] }, { shared: true })
  const optimizer = new DiffGrad(parameters, { threads: 3 })
  await optimizer.ready
  optimizer.step(gradients)
}

await train()
while (ended < started || started === 0) {
  globalThis.gc?.()
  await new Promise((resolve) => setImmediate(resolve))
}
console.log(`${ended} of ${started} workers ended`)
