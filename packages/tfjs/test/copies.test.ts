import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Two copies of @tensorflow/tfjs-core in one process: the one in a bundle of this package, and the one in a
// bundle of the application's TensorFlow.js.

const folder = mkdtempSync(join(tmpdir(), 'copies-'))
const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

beforeAll(async () => {
  const options: BuildOptions = {
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@diffgrad/source'],
    mainFields: ['module', 'main'],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: 'error',
  }
  const app = "export * from '@tensorflow/tfjs'"
  await build({
    ...options,
    entryPoints: [pathOf('../src/index.ts')],
    outfile: join(folder, 'own.mjs'),
  })
  await build({
    ...options,
    stdin: { contents: app, resolveDir: pathOf('.') },
    outfile: join(folder, 'app.mjs'),
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Trains, saves and loads a model of the application; prints the loaded class, or the error. */
const script = (imports: string, prepare: string): string => `
${imports}
${prepare}
await tf.setBackend('cpu')
const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })
model.compile({ optimizer: new DiffGrad({ learningRate: 0.1 }), loss: 'meanSquaredError' })
let kernels = 0
const run = tf.engine().runKernelFunc
await model.fit(tf.ones([4, 2]), tf.zeros([4, 1]), { epochs: 2, verbose: 0 })
const gradients = Object.fromEntries(model.trainableWeights.map((w) => [w.read().name, tf.onesLike(w.read())]))
tf.engine().runKernelFunc = function (...args) { kernels++; return run.apply(this, args) }
model.optimizer.applyGradients(gradients)
tf.engine().runKernelFunc = run
let saved
await model.save(tf.io.withSaveHandler(async (artifacts) => {
  saved = artifacts
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
}), { includeOptimizer: true })
const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved)).then(
  ({ optimizer }) => optimizer.getClassName() + ' ' + optimizer.iterations, (error) => error.message.split('.')[0])
console.log(JSON.stringify({ loaded, kernels }))
`
const own = "import { DiffGrad, register } from './own.mjs'"
const app = "import * as tf from './app.mjs'"

function run(
  imports: readonly string[],
  prepare = '',
): { loaded: string; kernels: number; warnings: string[] } {
  writeFileSync(join(folder, 'main.mjs'), script(imports.join('\n'), prepare))
  const { stdout, stderr } = spawnSync(process.execPath, ['main.mjs'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const line = stdout.split('\n').find((text) => text.startsWith('{'))
  if (!line) throw new Error(stderr)
  return {
    ...JSON.parse(line),
    warnings: stderr.split('\n').filter((text) => text.includes('@diffgrad')),
  }
}

test.each([
  ['loaded first', [own, app]],
  ['loaded last', [app, own]],
])('a second copy, with this package %s, is named once, and kernels stay fused', (_, imports) => {
  const { loaded, kernels, warnings } = run(imports)
  expect(loaded).toContain('Unknown layer: DiffGrad')
  expect(kernels).toBe(0)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(
    /imports @tensorflow\/tfjs-core \d+\.\d+\.\d+, but the backend cpu is of another copy/,
  )
  expect(warnings[0]).toContain('npm ls @tensorflow/tfjs-core')
  expect(warnings[0]).toContain('register(tf)')
})

test('after register(tf), a saved model loads in the other copy, without a warning', () => {
  const { loaded, kernels, warnings } = run([own, app], 'register(tf)')
  expect(loaded).toBe('DiffGrad 3')
  expect(kernels).toBe(0)
  expect(warnings).toEqual([])
})
