import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  asCommonJs,
  bundlers,
  mostBytes,
  pageBytes,
  type ResolutionMode,
  runBundled,
  runNode,
  typeErrors,
  writeTypeScript,
} from './consumers.ts'
import {
  allExamples,
  codeBlocks,
  guideExamples,
  importedNames,
  installOffline,
  type Manifest,
  npmInstalls,
  pack,
  publicPackages,
  readExamples,
  readManifest,
  root,
} from './public-packages.ts'

// Packs every public package, installs the tarballs into an empty folder with npm, and uses them there as
// users do: the code of the READMEs in Node, bundled, and type checked. `pnpm check-bundlers` does the
// same with tools that are too large for the workspace.

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
const packages = publicPackages()
const examples = allExamples()

/** A package as installed: its folder, manifest and files. */
const installed = (
  short: string,
): { folder: string; manifest: Manifest; files: readonly string[] } => {
  const path = join(folder, 'node_modules/@diffgrad', short)
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(path.length + 1), entry.name))
  return { folder: path, manifest: readManifest(path), files }
}

beforeAll(() => installOffline(folder, pack(folder).values()))

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(packages)('@diffgrad/$short', ({ short, folder: source }) => {
  test('has a README with code, whose links hold on npmjs.com', () => {
    const readme = readFileSync(join(source, 'README.md'), 'utf8')
    expect(readExamples(source)[0]?.promised.length).toBeGreaterThan(0)
    const links = [...readme.matchAll(/\]\(([^)]*)\)/g)].map(([, link]) => link)
    expect(links.filter((link) => !/^(https:\/\/|#)/.test(link))).toEqual([])
  })

  test('has a README with a command that installs what its code imports', () => {
    const [command] = npmInstalls(readFileSync(join(source, 'README.md'), 'utf8'))
    const imported = readExamples(source).flatMap(({ code }) => importedNames(code))
    expect(command).toEqual(expect.arrayContaining(imported))
  })

  test('depends on version ranges, and its publishConfig only makes it public', () => {
    const { manifest } = installed(short)
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
    const alternative = String.raw`(\^|>=)\d+\.\d+\.\d+( <\d+(\.\d+\.\d+)?)?`
    const versions = new RegExp(`^${alternative}( \\|\\| ${alternative})*$`)
    for (const [name, range] of ranges) expect(range, name).toMatch(versions)
    expect(manifest.publishConfig).toEqual({ access: 'public' })
    expect(manifest.engines.node).toBe('>=20.19')
  })

  test('holds its sources, their output and a license, and neither tests nor build state', () => {
    const { files } = installed(short)
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
    const known =
      /^((src|dist)\/.*|node\/package\.json|LICENSE|README\.md|CHANGELOG\.md|package\.json)$/
    expect(files.filter((file) => !known.test(file))).toEqual([])
    expect(
      files.filter((file) => /\.(test|spec)\.|\/tests?\/|tsbuildinfo|\.env/.test(file)),
    ).toEqual([])
  })

  test('would hold a changelog, once there is one', () => {
    expect(readManifest(source).files).toContain('CHANGELOG.md')
  })

  test('has a source for each source map', () => {
    const { files, folder: path } = installed(short)
    const maps = files.filter((file) => file.endsWith('.map'))
    expect(maps.length).toBeGreaterThan(0)
    for (const map of maps) {
      const { sources } = JSON.parse(readFileSync(join(path, map), 'utf8'))
      for (const source of sources) {
        expect(existsSync(join(path, dirname(map), source)), `${map}: ${source}`).toBe(true)
      }
    }
  })

  test('is found without exports where it is found with them', () => {
    const { manifest, folder: path } = installed(short)
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue
      const stub = join(path, subpath)
      const { main, types } = readManifest(stub)
      expect(join(stub, main)).toBe(join(path, target.default))
      expect(join(stub, types)).toBe(join(path, target.default.replace(/\.js$/, '.d.ts')))
      expect([existsSync(join(stub, main)), existsSync(join(stub, types))]).toEqual([true, true])
    }
  })
})

test('public packages share one version, and private ones have none', () => {
  const { fixed, privatePackages } = JSON.parse(
    readFileSync(join(root, '.changeset/config.json'), 'utf8'),
  )
  const names = readdirSync(join(root, 'packages')).map(
    (name) => readManifest(join(root, 'packages', name)).name,
  )
  const [patterns]: string[][] = fixed
  const released = names.filter(
    (name) => patterns.includes('@diffgrad/*') && !patterns.includes(`!${name}`),
  )
  expect(released).toEqual(packages.map(({ manifest }) => manifest.name))
  expect(privatePackages).toEqual({ version: false, tag: false })
})

test.each(examples)('README block $name prints what it says', ({ name, code, promised }) => {
  writeFileSync(join(folder, `${name}.mjs`), code)
  expect(runNode(folder, `${name}.mjs`)).toEqual(promised)
})

test.each(guideExamples())('guide block $name prints what it says', ({ name, code, promised }) => {
  writeFileSync(join(folder, `${name}.mjs`), code)
  expect(promised.length).toBeGreaterThan(0)
  expect(runNode(folder, `${name}.mjs`)).toEqual(promised)
})

test('each command of the guide for a start installs what its program imports', () => {
  const guide = readFileSync(join(root, 'docs/guides/start.md'), 'utf8').split(/^## /m)
  const programs = guide.flatMap((text) =>
    codeBlocks(text, 'js').map((block) => ({ text, ...block })),
  )
  expect(programs).toHaveLength(3)
  for (const { text, code } of programs)
    expect(npmInstalls(text)[0]).toEqual(expect.arrayContaining([...importedNames(code)]))
})

test.each(examples)('README block $name runs with require()', ({ name, code, promised }) => {
  writeFileSync(join(folder, `${name}.cjs`), asCommonJs(code))
  expect(runNode(folder, `${name}.cjs`)).toEqual(promised)
})

// `pnpm check-bundlers` runs the other pairs.
const typeChecks: readonly { compiler: string; resolution: ResolutionMode }[] = [
  { compiler: 'typescript', resolution: 'node10' },
  { compiler: 'typescript', resolution: 'bundler' },
  { compiler: 'typescript-5.4', resolution: 'node16' },
]

const firstExamples = examples.filter(({ name }) => name.endsWith('-1') && name !== 'root-1')
describe.each(bundlers)('bundled by $name', (bundler) => {
  test.each(firstExamples)('README block $name prints what it says', async (example) => {
    expect(await runBundled(folder, bundler, example)).toEqual(example.promised)
  })

  test('the tfjs optimizers that are used are registered, and all by register()', async () => {
    const used = (name: string, extra: string): { name: string; code: string } => ({
      name,
      code: `import { DiffGrad, DiffRGrad, register } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
new DiffGrad()
${extra}
const names = tf.serialization.SerializationMap.getMap().classNameMap
console.log(['DiffGrad', 'DiffRGrad'].filter((name) => name in names).join())
`,
    })
    expect(await runBundled(folder, bundler, used('used', ''))).toEqual(['DiffGrad'])
    const all = await runBundled(folder, bundler, used('registered', 'register(tf)'))
    expect(all).toEqual(['DiffGrad,DiffRGrad'])
  })
})

test.each(Object.entries(mostBytes))('DiffGrad of %s is small in a page', async (short, most) => {
  expect(await pageBytes(folder, short)).toBeLessThanOrEqual(most)
})

describe.each(typeChecks)('$compiler with resolution $resolution', (check) => {
  test('README code compiles, as strict as can be', () => {
    const path = join(root, 'node_modules', check.compiler)
    expect(typeErrors(folder, path, check.resolution, writeTypeScript(folder, path))).toEqual([])
  })
})
