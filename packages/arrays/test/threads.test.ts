import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { Adam, AdamW, allocate, DiffGrad, DiffMod, DiffRGrad, LAMB } from '../src/index.ts'

const size = 300_000 + 13

/** One step more than the steps until running averages are flushed for the first time. */
const steps = 33

const wave = Float32Array.from({ length: 1009 }, (_, i) => Math.cos(i))

/** Trains two parameters of a shared allocation, and returns them as bytes. */
async function trained(Rule: typeof DiffGrad, threads: number): Promise<readonly Buffer[]> {
  const { parameters, gradients } = allocate({ big: [size], small: [5] }, { shared: true })
  for (let i = 0; i < size; i++) parameters.big[i] = wave[i % wave.length]
  const optimizer = new Rule(parameters, { threads })
  await optimizer.ready
  expect(optimizer.kernel.threads).toBe(threads)
  for (let t = 1; t <= steps; t++) {
    for (let i = 0; i < size; i++) gradients.big[i] = wave[(t * i) % wave.length]
    gradients.small.fill(t)
    optimizer.step(gradients)
  }
  optimizer.dispose()
  return [parameters.big, parameters.small].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  )
}

test.each(
  [DiffGrad, DiffRGrad, DiffMod, AdamW, LAMB].map(
    (Rule) => [Rule.name, Rule as typeof DiffGrad] as const,
  ),
)('%s moves parameters alike on three threads and on one, bit for bit', async (_, Rule) => {
  const [alone, together] = [await trained(Rule, 1), await trained(Rule, 3)]
  expect(together.map((bytes, i) => bytes.equals(alone[i]))).toEqual([true, true])
})

test('on threads, too, Adam with a tiny ε moves as far as its equations say', async () => {
  const { parameters, gradients } = allocate({ w: [size] }, { shared: true })
  const optimizer = new Adam(parameters, { threads: 2, epsilon: 1e-15 })
  await optimizer.ready
  gradients.w.fill(5e-15)
  for (let t = 1; t <= 2 * steps; t++) optimizer.step(gradients)
  optimizer.dispose()
  const moved = (1e-3 * 2 * steps * 5) / (5 + 1)
  expect(new Set(parameters.w).size).toBe(1)
  expectClose(parameters.w.subarray(0, 1), [-moved], { relative: 1e-5 })
})

test('an optimizer is ready at once without threads, and when its threads were ended', async () => {
  await new DiffGrad({ w: new Float32Array(1) }).ready
  const { parameters } = allocate({ w: [size] }, { shared: true })
  const optimizer = new DiffGrad(parameters, { threads: 2 })
  const { ready } = optimizer
  optimizer.dispose()
  await ready
})

/** Runs a script of this folder, and returns what it prints. */
const run = (name: string, ...options: readonly string[]): string => {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@diffgrad/source', ...options, script]
  return execFileSync(process.execPath, args, { timeout: 100_000 }).toString()
}

test('a process that does not dispose of its threads exits', () => {
  expect(run('undisposed-threads.ts')).toBe('2 threads\n')
})

test('the threads of an optimizer that nothing refers to end', () => {
  expect(run('dropped-threads.ts', '--expose-gc')).toBe('2 of 2 workers ended\n')
})

test('`using` disposes of an optimizer', () => {
  const { parameters, gradients } = allocate({ w: [3] })
  let optimizer: Adam
  {
    using scoped = new Adam(parameters)
    optimizer = scoped
    scoped.step(gradients)
  }
  expect(() => optimizer.step(gradients)).toThrow('the optimizer was disposed of')
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
