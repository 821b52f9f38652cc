import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Packs every public package, installs the tarballs into an empty folder with npm, and runs the code of
// the READMEs there.

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))

/** The environment of a user's shell: without the variables that pnpm sets for its scripts. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')),
)
const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', env })

const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((path) => !JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).private)

/** The third-party packages in a field of the manifests, each with the folder it is installed in. */
const installed = (
  field: 'dependencies' | 'peerDependencies' | 'devDependencies',
): readonly [string, string][] =>
  packages.flatMap((path) => {
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    return Object.keys(manifest[field] ?? {})
      .filter((name) => !name.startsWith('@diffgrad/'))
      .map((name): [string, string] => [name, join(path, 'node_modules', name)])
  })

/** The code blocks of the READMEs, with the output that their lines `console.log(…) // …` promise. */
const blocks = [root, ...packages].flatMap((path) => {
  const readme = readFileSync(join(path, 'README.md'), 'utf8')
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code], i) => {
    const promised = [...code.matchAll(/^console\.log.* \/\/ (.*)$/gm)].map(([, text]) => text)
    return { name: `${path === root ? 'root' : basename(path)}-${i + 1}`, code, promised }
  })
})

beforeAll(() => {
  for (const path of packages) {
    execFileSync('pnpm', ['pack', '--pack-destination', folder], { cwd: path })
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }')
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const dependencies = installed('dependencies').map(([, path]) => path)
  const sources = [...tarballs.map((t) => `./${t}`), ...dependencies]
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps']
  run('npm', 'install', ...options, ...sources)
  // Peer dependencies are too large to copy, and npm would look for more packages than are installed here.
  const peers = installed('peerDependencies')
  // The READMEs import @tensorflow/tfjs; only its core is a peer dependency.
  const tfjs = installed('devDependencies').filter(([name]) => name === '@tensorflow/tfjs')
  for (const [name, path] of new Map([...peers, ...tfjs])) {
    mkdirSync(join(folder, 'node_modules', dirname(name)), { recursive: true })
    symlinkSync(path, join(folder, 'node_modules', name))
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

test('every public package has a README with code', () => {
  for (const path of packages) {
    const own = blocks.filter(({ name }) => name.startsWith(`${basename(path)}-`))
    expect(own.length).toBeGreaterThan(0)
  }
})

test('a packed package depends on version ranges, and its publishConfig only makes it public', () => {
  for (const path of packages) {
    const packed = join(folder, 'node_modules/@diffgrad', basename(path), 'package.json')
    const manifest = JSON.parse(readFileSync(packed, 'utf8'))
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
    for (const [name, range] of ranges) expect(`${name} ${range}`).toMatch(/ \^\d+\.\d+\.\d+$/)
    expect(manifest.publishConfig).toEqual({ access: 'public' })
  }
})

test.each(blocks)('README block $name prints what it says', ({ name, code, promised }) => {
  writeFileSync(join(folder, `${name}.mjs`), code)
  const printed = run('node', `${name}.mjs`).trimEnd().split('\n')
  expect(printed).toEqual(promised)
})

test('README code is well typed against the packed declarations', () => {
  for (const { name, code } of blocks) writeFileSync(join(folder, `${name}.mts`), code)
  const files = blocks.map(({ name }) => `${name}.mts`)
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext']
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { stdout } = spawnSync(tsc, [...options, ...files], {
    cwd: folder,
    encoding: 'utf8',
  })
  // The declarations of TensorFlow.js contradict those of the DOM.
  const foreign = /node_modules\/(@tensorflow|@webgpu|typescript)\//
  expect(
    stdout.split('\n').filter((line) => line.includes(': error ') && !foreign.test(line)),
  ).toEqual([])
})
