import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

// Trains, saves, loads and continues with releases of TensorFlow.js, on cpu and wasm: `pnpm versions
// [version…]`, by default with the oldest and the newest release of the peer range. Installs them from the
// registry into a temporary folder.

const run = promisify(execFile)
const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const manifest = JSON.parse(await readFile(pathOf('../package.json'), 'utf8'))
const range: string = manifest.peerDependencies['@tensorflow/tfjs-core']

/** The oldest version of a range such as `^3.21.0 || ^4.0.0`, and the newest release in it. */
async function ends(): Promise<readonly string[]> {
  const [oldest] = range.match(/\d+\.\d+\.\d+/) ?? []
  const { stdout } = await run('npm', [
    'view',
    `@tensorflow/tfjs-core@${range}`,
    'version',
    '--json',
  ])
  const versions: readonly string[] = [JSON.parse(stdout)].flat()
  const newest = versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  if (!oldest || !newest) throw new Error(`no release is in ${range}`)
  return [oldest, newest]
}

/** The bundles of both packages, which import TensorFlow.js from the folder they are in. */
const bundle = (folder: string): Promise<unknown> =>
  build({
    entryPoints: {
      tfjs: pathOf('../src/index.ts'),
      gradients: pathOf('../../tfjs-wasm-gradients/src/index.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['@tensorflow/*'],
    conditions: ['@diffgrad/source'],
    logLevel: 'error',
  })

/** Checks one release, and returns a line about it. */
async function check(version: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-versions-'))
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }')
    await bundle(folder)
    await writeFile(join(folder, 'check.mjs'), await readFile(pathOf('versions-check.mjs')))
    const packages = ['tfjs', 'tfjs-backend-wasm'].map((name) => `@tensorflow/${name}@${version}`)
    const options = ['--no-audit', '--no-fund', '--ignore-scripts']
    await run('npm', ['install', ...options, ...packages], { cwd: folder })
    const { stdout } = await run(process.execPath, ['check.mjs'], { cwd: folder })
    return stdout.trim().split('\n').at(-1) ?? ''
  } finally {
    await rm(folder, { recursive: true })
  }
}

const isOffline = await run('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=20000']).then(
  () => false,
  () => true,
)
if (isOffline) {
  console.log('skipped, because the npm registry cannot be reached')
} else {
  const selected = process.argv.slice(2)
  for (const version of selected.length > 0 ? selected : await ends()) {
    try {
      console.log(`${version}: ${await check(version)}`)
    } catch (error) {
      console.error(`${version}: ${error instanceof Error ? error.message : error}`)
      process.exitCode = 1
    }
  }
}
