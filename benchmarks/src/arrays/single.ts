import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { allocate, DiffGrad } from '@diffgrad/arrays'
import { type Summary, summarize } from '../statistics.ts'

/** How long the first kernel takes in fresh processes, in milliseconds. */
export function coldStart(times: number): Summary {
  const script = fileURLToPath(new URL('cold.ts', import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@diffgrad/source', script]
  return summarize(
    Array.from({ length: times }, () => Number(execFileSync(process.execPath, args).toString())),
  )
}

/** How much longer the last 300 of 3000 steps without gradients take than the first 300. */
export function slowdownWithoutGradients(): number {
  const { parameters, gradients } = allocate({ w: [100_000] })
  gradients.w.fill(1)
  const optimizer = new DiffGrad(parameters)
  for (let t = 0; t < 100; t++) optimizer.step(gradients)
  gradients.w.fill(0)
  const timings = Array.from({ length: 3000 }, () => {
    const start = performance.now()
    optimizer.step(gradients)
    return performance.now() - start
  })
  return summarize(timings.slice(-300)).median / summarize(timings.slice(0, 300)).median
}
