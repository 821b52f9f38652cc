import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { AdamW, allocate, DiffGrad, DiffMod, DiffRGrad, type KernelReport } from '../src/index.ts'

const size = 300_000 + 13

/** An optimizer over two parameters of a shared allocation. */
function started(Rule: typeof DiffGrad, threads: number) {
  const { parameters, gradients } = allocate({ big: [size], small: [5] }, { shared: true })
  for (let i = 0; i < size; i++) parameters.big[i] = Math.sin(i)
  return { parameters, gradients, optimizer: new Rule(parameters, { threads }) }
}

/** Helpers come up while the program goes on. */
async function all(threads: number, optimizer: { readonly kernel: KernelReport }): Promise<void> {
  while (optimizer.kernel.threads < threads) await new Promise((done) => setTimeout(done, 5))
}

test.each(
  [DiffGrad, DiffRGrad, DiffMod, AdamW].map(
    (Rule) => [Rule.name, Rule as typeof DiffGrad] as const,
  ),
)('%s moves by three threads where it moves by one, to the last bit', async (_, Rule) => {
  const [alone, together] = [started(Rule, 1), started(Rule, 3)]
  await all(3, together.optimizer)
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

test('a process that forgot to dispose of its threads ends all the same', () => {
  const script = fileURLToPath(new URL('forgetful.ts', import.meta.url))
  const run = ['--import', 'tsx', '--conditions=@diffgrad/source', script]
  expect(execFileSync(process.execPath, run, { timeout: 30_000 }).toString()).toBe('2 threads\n')
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
