import { createHash } from 'node:crypto'
import { allocate, DiffGrad } from '@diffgrad/arrays'
import { communicator } from '@diffgrad/mpi'
import { seeded } from '@diffgrad/onnx'

// Several processes train one model: each computes the gradients of every other batch, and all make the same
// update, bit for bit that of one process. Alone, or by Open MPI:
//
//   pnpm --filter examples example src/data-parallel.ts
//   mpirun --bind-to none -np 2 pnpm --filter examples example src/data-parallel.ts

const [batches, batchSize] = [200, 16]
const truth = [-4, -3, -2, -1, 0, 1, 2, 3]

const ranks = await communicator()
const { parameters, gradients } = allocate({ w: [truth.length] })
const optimizer = new DiffGrad(parameters, { learningRate: 0.2, accumulate: 2 })
optimizer.distribute(ranks)

for (let batch = ranks.rank; batch < batches; batch += ranks.size) {
  const random = seeded(batch)
  gradients.w.fill(0)
  for (let n = 0; n < batchSize; n++) {
    const x = truth.map(() => random.normal())
    const error = x.reduce((sum, value, i) => sum + value * (parameters.w[i] - truth[i]), 0)
    for (const [i, value] of x.entries()) gradients.w[i] += (2 * error * value) / batchSize
  }
  optimizer.step(gradients) // waits for the other processes where an update is due
}

if (ranks.rank === 0) {
  const bits = createHash('sha256').update(parameters.w).digest('hex').slice(0, 12)
  console.log(`${ranks.size} of accumulate 2: ${optimizer.updates} updates`)
  console.log(`weights ${[...parameters.w].map((w) => w.toFixed(1)).join(' ')}, bits ${bits}`)
}
await ranks.end()
