import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

/** What an example prints. */
async function printed(example: string): Promise<string> {
  const lines: unknown[] = []
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line))
  await import(`../src/${example}.ts`)
  return lines.join('\n')
}

/** The number after a word. */
const numberAfter = (text: string, word: string): number =>
  Number(text.slice(text.lastIndexOf(word) + word.length).match(/[\d.]+/)?.[0])

test('logistic regression finds the direction between the clouds, arctan ½, and Bayes’ accuracy', async () => {
  const text = await printed('logistic-regression')
  expect(numberAfter(text, 'boundary at')).toBeCloseTo((Math.atan(0.5) * 180) / Math.PI, -1)
  // The means are √5 apart: Φ(√5/2) = 0.868 of the points lie on their side, ±0.017.
  expect(Math.abs(numberAfter(text, 'accuracy') - 0.868)).toBeLessThan(0.05)
})

test('splats draw the ring after two splits', async () => {
  const text = await printed('splats')
  expect(text).toContain('18 splats')
  expect(numberAfter(text, 'loss')).toBeLessThan(0.002)
})

test('a rule of one’s own takes the same steps on both backends', async () => {
  expect(await printed('own-rule')).toContain('less than 1e-5')
})

test('a model of layers reads digits', async () => {
  expect(numberAfter(await printed('tfjs-digits'), 'accuracy')).toBeGreaterThan(0.85)
})

test('an LSTM continues the text', async () => {
  expect(await printed('tfjs-text')).toBe('the quick brown fox jumps over the lazy')
})

test('a new head, then all layers, learn two new digits', async () => {
  const [head, all] = (await printed('tfjs-transfer')).split('\n')
  expect(numberAfter(head ?? '', 'accuracy')).toBeGreaterThan(0.75)
  expect(numberAfter(all ?? '', 'accuracy')).toBeGreaterThanOrEqual(
    numberAfter(head ?? '', 'accuracy'),
  )
})

test('a network on ONNX Runtime resumes, and is exported', async () => {
  const text = await printed('onnxruntime-node')
  expect(text).toContain('resumed with notes {"epoch":"2"}')
  expect(numberAfter(text, 'accuracy')).toBeGreaterThan(0.85)
  expect(text).toContain('input → output')
})

const withMpi = spawnSync('mpirun', ['--version']).status === 0
test.skipIf(!withMpi)(
  `two processes have the weights of one, bit for bit${withMpi ? '' : ': skipped, because mpirun is not installed'}`,
  () => {
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const node = [process.execPath, '--conditions=@diffgrad/source', '--import', 'tsx']
    const run = (command: string, ...args: string[]): string =>
      spawnSync(command, [...args, 'src/data-parallel.ts'], { cwd, encoding: 'utf8' }).stdout
    const mpirun = ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-np', '2']
    const [one, two] = [run(node[0], ...node.slice(1)), run('mpirun', ...mpirun, ...node)]
    expect(one).toMatch(/^1 of/)
    expect(two).toBe(one.replace('1 of', '2 of'))
  },
)
