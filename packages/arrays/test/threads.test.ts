import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { AdamW, allocate, DiffGrad, DiffMod, DiffRGrad } from '../src/index.ts'

const size = 300_000 + 13

/** An optimizer over two parameters of a shared allocation. */
function started(Rule: typeof DiffGrad, threads: number) {
  const { parameters, gradients } = allocate({ big: [size], small: [5] }, { shared: true })
  for (let i = 0; i < size; i++) parameters.big[i] = Math.sin(i)
  return { parameters, gradients, optimizer: new Rule(parameters, { threads }) }
}

test.each(
  [DiffGrad, DiffRGrad, DiffMod, AdamW].map(
    (Rule) => [Rule.name, Rule as typeof DiffGrad] as const,
  ),
)('%s moves parameters alike on three threads and on one, bit for bit', async (_, Rule) => {
  const [alone, together] = [started(Rule, 1), started(Rule, 3)]
  await together.optimizer.ready
  expect(together.optimizer.kernel.threads).toBe(3)
  for (let t = 1; t <= 33; t++) {
    for (const { gradients, optimizer } of [alone, together]) {
      for (let i = 0; i < size; i++) gradients.big[i] = Math.cos(t * i)
      gradients.small.fill(t)
      optimizer.step(gradients)
    }
  }
  expect(Buffer.compare(bytes(together.parameters.big), bytes(alone.parameters.big))).toBe(0)
  expect(together.parameters.small).toEqual(alone.parameters.small)
  together.optimizer.dispose()
})

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

test('a process that does not dispose of its threads exits', () => {
  const script = fileURLToPath(new URL('undisposed-threads.ts', import.meta.url))
  const run = ['--import', 'tsx', '--conditions=@diffgrad/source', script]
  expect(execFileSync(process.execPath, run, { timeout: 30_000 }).toString()).toBe('2 threads\n')
})

test('an optimizer is ready at once without threads, and when its threads end', async () => {
  await new DiffGrad({ w: new Float32Array(1) }).ready
  const { optimizer } = started(DiffGrad, 2)
  const { ready } = optimizer
  optimizer.dispose()
  await ready
})

test('threads are refused where they would do nothing', () => {
  const w = new Float32Array(size)
  expect(() => new DiffGrad({ w }, { threads: 2 })).toThrow(
    new RangeError('diffGrad: threads need parameters of allocate(…, { shared: true })'),
  )
  expect(() => new DiffGrad({ w }, { threads: 0 })).toThrow(
    'diffGrad: threads must be a whole number, at least 1, or auto, but is 0',
  )
  expect(() => new DiffGrad({ w }, { threads: 2, kernel: 'javascript' })).toThrow(
    'diffGrad: 2 threads need WebAssembly',
  )
  expect(new DiffGrad({ w }, { threads: 'auto' }).kernel.threads).toBe(1)
})
