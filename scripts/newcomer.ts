import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { chromiumMissing, chromiumPath, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { build } from 'esbuild'
import { table } from './consumers.ts'
import {
  codeBlocks,
  type Example,
  npmInstalls,
  pack,
  publicPackages,
  root,
  runIn,
  userEnvironment,
} from './public-packages.ts'

// `pnpm newcomer`: follows docs/guides/start.md. For each backend, makes an empty folder, runs the command of the
// guide, with the packed packages in place of the published ones, then its program as it stands, and prints how long
// each took. npm starts without a cache; packages of others come from its registry. Exits with 1 if a program does
// not print what the guide says.

/** A backend of the guide. */
interface Section {
  readonly title: string
  /** The arguments of `npm install`; undefined for a page that installs nothing. */
  readonly install: readonly string[] | undefined
  readonly program: Pick<Example, 'code' | 'promised'>
}

/** What a program printed, when its first loss appeared, in seconds after its start, and the bytes it came with. */
interface Run {
  readonly printed: readonly string[]
  readonly seconds: number
  readonly bytes: number
}

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-newcomer-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const cache = join(folder, 'npm-cache')
const tarballs = pack(folder)

/** The backends of the guide: its sections with a program. */
const sections = (): readonly Section[] =>
  readFileSync(join(root, 'docs/guides/start.md'), 'utf8')
    .split(/^## /m)
    .flatMap((text) => {
      const [program] = [...codeBlocks(text, 'js'), ...codeBlocks(text, 'html')]
      const [title = ''] = text.split('\n')
      return program ? [{ title, install: npmInstalls(text)[0], program }] : []
    })

/** The tarballs of packages of this repository, and of those that they depend on. */
function tarballsOf(names: readonly string[]): readonly string[] {
  const found = new Set<string>()
  const add = (name: string): void => {
    const one = publicPackages().find(({ manifest }) => manifest.name === name)
    const tarball = one && tarballs.get(one.short)
    if (!one || !tarball || found.has(tarball)) return
    found.add(tarball)
    for (const dependency of Object.keys(one.manifest.dependencies ?? {})) add(dependency)
  }
  for (const name of names) add(name)
  return [...found]
}

/** Bytes of all files of a folder. */
const bytesIn = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const secondsSince = (start: number): number => (performance.now() - start) / 1000

/** Runs a program as `node train.mjs`. */
async function runProgram(project: string, code: string): Promise<Run> {
  writeFileSync(join(project, 'train.mjs'), code)
  const start = performance.now()
  const child = spawn('node', ['train.mjs'], { cwd: project, env: userEnvironment })
  let [text, errors, seconds] = ['', '', 0]
  child.stderr.on('data', (data) => {
    errors += data
  })
  child.stdout.on('data', (data) => {
    text += data
    if (seconds === 0 && /loss/.test(text)) seconds = secondsSince(start)
  })
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(errors)
  return {
    printed: text.trimEnd().split('\n'),
    seconds,
    bytes: bytesIn(join(project, 'node_modules')),
  }
}

/** Opens a page from its file; its CDN serves the package that is installed in `project`, as CDNs bundle it. */
async function runPage(project: string, code: string): Promise<Run> {
  const file = join(folder, 'page.html')
  writeFileSync(file, code)
  const [, name = ''] = /"(@diffgrad\/\w+)":/.exec(code) ?? []
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: project },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  })
  const body = outputFiles[0]?.text ?? ''
  const browser = await launchChromium()
  const page = await openPage(browser)
  const headers = { 'Access-Control-Allow-Origin': '*' }
  await page.route(`https://cdn.jsdelivr.net/npm/${name}/+esm`, (route) =>
    route.fulfill({ body, headers, contentType: 'text/javascript' }),
  )
  const start = performance.now()
  await page.goto(`file://${file}`)
  await page.waitForFunction("document.querySelector('pre').textContent.includes('loss')")
  const seconds = secondsSince(start)
  const text = (await page.textContent('pre')) ?? ''
  await browser.close()
  return { printed: text.trimEnd().split('\n'), seconds, bytes: gzipSync(body).length }
}

const megabytes = (bytes: number): string =>
  `${bytes < 1e6 ? (bytes / 1e6).toFixed(2) : Math.round(bytes / 1e6)} MB`
const codeLines = (code: string): number => code.split('\n').filter((line) => line.trim()).length

const rows: string[][] = []
let installed = '' // The project of the last installation, from which the CDN of a page serves.
for (const { title, install, program } of sections()) {
  const start = performance.now()
  if (install) {
    installed = join(folder, title.replaceAll(/\W/g, '-'))
    mkdirSync(installed)
    const foreign = install.filter((name) => !name.startsWith('@diffgrad/'))
    runIn(installed, 'npm', 'install', ...foreign, ...tarballsOf(install), '--cache', cache)
  }
  const installSeconds = secondsSince(start)
  if (!install && !chromiumPath) {
    console.log(`${title}: skipped, because ${chromiumMissing}`)
    continue
  }
  const run = install ? runProgram : runPage
  const { printed, seconds, bytes } = await run(installed, program.code)
  if (!isDeepStrictEqual(printed, program.promised)) {
    console.error(`${title} prints\n${printed.join('\n')}\nnot\n${program.promised.join('\n')}`)
    process.exitCode = 1
  }
  const losses = [...printed.join('\n').matchAll(/loss ([\d.]+)/g)].map(([, loss]) => loss)
  rows.push([
    title,
    install ? `${installSeconds.toFixed(1)} s` : 'none',
    megabytes(bytes),
    `${codeLines(program.code)}`,
    `${seconds.toFixed(1)} s`,
    `${losses[0]} → ${losses.at(-1)}`,
  ])
}
const head = ['', '`npm install`', 'installed', 'lines of code', 'first loss after', 'loss']
console.log(table(head, rows))
