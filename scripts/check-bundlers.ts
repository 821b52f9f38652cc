import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { chromiumPath, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { build as esbuild } from 'esbuild'
import {
  asCommonJs,
  type Bundler,
  bundlers,
  isPeer,
  mostBytes,
  pageBytes,
  peerNames,
  type ResolutionMode,
  resolutionModes,
  runBundled,
  runNode,
  table,
  typeErrors,
  withoutTopLevelAwait,
  writeCompatibility,
  writeTypeScript,
} from './consumers.ts'
import {
  allExamples,
  type Example,
  installOffline,
  pack,
  publicPackages,
  readExamples,
  readManifest,
  root,
  runIn,
} from './public-packages.ts'

// `pnpm check-bundlers`: uses the packed packages as users do, with more and larger tools than `npm test`
// has, downloaded into a temporary folder, and writes the results to docs/compatibility.md. Each cell runs
// the README example of a package or type checks all its examples. Exits with 1 if a cell fails.

const versions = {
  webpack: 'webpack@5.113.0',
  parcel: 'parcel@2.16.4',
  'typescript-5.9': 'typescript-5.9@npm:typescript@5.9.3',
  'typescript-7.0': 'typescript-7.0@npm:typescript@7.0.2',
}

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const tools = join(folder, 'tools')
const users = join(folder, 'users')
const toolRequire = createRequire(join(tools, 'package.json'))

// The APIs of webpack and Parcel are not typed here, since both are installed at run time.
const downloaded = (): readonly Bundler[] => [
  {
    name: `webpack ${readManifest(join(tools, 'node_modules/webpack')).version}`,
    bundle: (entry, output, runtime) =>
      new Promise((resolve, reject) => {
        const options = {
          mode: 'production',
          context: dirname(entry),
          entry,
          target: runtime === 'Node' ? 'node20' : 'web',
          experiments: { outputModule: true },
          externalsType: 'module',
          externals: ({ request }: { request: string }, done: (e?: null, name?: string) => void) =>
            isPeer(request) ? done(null, request) : done(),
          output: {
            path: dirname(output),
            filename: basename(output),
            module: true,
            chunkFormat: 'module',
          },
        }
        toolRequire('webpack')(options, (error: Error | null, stats: { hasErrors(): boolean }) => {
          if (error ?? stats.hasErrors()) reject(error ?? new Error(String(stats)))
          else resolve()
        })
      }),
  },
]

/** Packages whose dependencies Parcel finds only if it reads `exports`, which it does on request. */
const needsExports: readonly string[] = ['onnx', 'onnxruntime']

/** Parcel as it is, or with its option that reads `exports`. */
const parcel = (packageExports: boolean): Bundler => ({
  name: `Parcel ${readManifest(join(tools, 'node_modules/parcel')).version}${packageExports ? ', `packageExports`' : ''}`,
  async bundle(entry, output, runtime) {
    const manifest = { ...readManifest(users), '@parcel/resolver-default': { packageExports } }
    writeFileSync(join(users, 'package.json'), JSON.stringify(manifest))
    const { Parcel } = toolRequire('@parcel/core')
    const target = {
      distDir: dirname(output),
      distEntry: basename(output),
      context: runtime === 'Node' ? 'node' : 'browser',
      engines: runtime === 'Node' ? { node: '>=20.19' } : { browsers: 'last 2 Chrome versions' },
      outputFormat: 'esmodule',
      isLibrary: true,
      sourceMap: false,
      includeNodeModules: Object.fromEntries(peerNames.map((name) => [name, false])),
    }
    await new Parcel({
      entries: entry,
      defaultConfig: toolRequire.resolve('@parcel/config-default'),
      mode: 'production',
      targets: { main: target },
      shouldDisableCache: true,
      cacheDir: join(folder, 'parcel-cache'),
      defaultTargetOptions: { shouldOptimize: true, shouldScopeHoist: true },
    }).run()
  },
})

/** Bundles the peers for pages once, as modules that share their code, and returns an import map. */
async function peersForPages(): Promise<Readonly<Record<string, string>>> {
  const tensorflow = peerNames.filter((name) => name.startsWith('@tensorflow/'))
  await esbuild({
    entryPoints: Object.fromEntries(
      tensorflow.map((name) => [basename(name), join(users, 'node_modules', name)]),
    ),
    outdir: join(users, 'peers'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  })
  const runtime = {
    'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
  }
  return Object.assign(
    runtime,
    Object.fromEntries(tensorflow.map((name) => [name, `/peers/${basename(name)}.js`])),
  )
}

/** The example as a page needs it. */
const forPages = (code: string): string =>
  withoutTopLevelAwait(code)
    .replace("'onnxruntime-node'", "'onnxruntime-web/wasm'")
    .replace(
      "import '@tensorflow/tfjs-backend-wasm'",
      "import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'\nsetWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/')",
    )
    .replace(/main\(\)\n$/, "main().then(() => console.log('end'))\n")

const types: Readonly<Record<string, string>> = {
  '.wasm': 'application/wasm',
  '.html': 'text/html',
}

/** Bundles an example for a page, runs it in Chromium and returns the lines that it prints. */
async function runInPage(
  browser: Awaited<ReturnType<typeof launchChromium>>,
  imports: Readonly<Record<string, string>>,
  { name, bundle }: Bundler,
  example: Example,
): Promise<readonly string[]> {
  const file = `${example.name}-${name.replaceAll(/\W+/g, '-')}-page`
  writeFileSync(join(users, `${file}.entry.js`), forPages(example.code))
  await bundle(join(users, `${file}.entry.js`), join(users, `${file}.mjs`), 'browser')
  writeFileSync(
    join(users, `${file}.html`),
    `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
     <script type="module" src="/${file}.mjs"></script>`,
  )
  const page = await openPage(browser)
  await page.route('http://localhost/**', (route) => {
    const path = join(users, new URL(route.request().url()).pathname)
    const contentType = types[extname(path)] ?? 'text/javascript'
    return route.fulfill({ contentType, body: readFileSync(path) }).catch(() => route.abort())
  })
  const lines: string[] = []
  try {
    return await new Promise<readonly string[]>((resolve, reject) => {
      page.on('pageerror', reject)
      page.on('requestfailed', (request) => reject(new Error(`not found: ${request.url()}`)))
      page.on('console', (message) => {
        if (message.text() === 'end') resolve(lines)
        else if (message.type() === 'log') lines.push(message.text())
      })
      page.goto(`http://localhost/${file}.html`).catch(reject)
    })
  } finally {
    await page.close()
  }
}

interface Row {
  readonly tool: string
  readonly how: string
  readonly runtime: string
  /** Why each package fails, by short name; absent if it works. */
  readonly failures: ReadonlyMap<string, string>
}

const packages = publicPackages()
const firstExamples = packages.flatMap(({ folder }) => readExamples(folder).slice(0, 1))
const shortOf = ({ name }: Example): string => name.replace(/-\d+$/, '')

/** Whether a tool needs an option for a package; see the notes of the table. */
const isExcepted = (tool: string, short: string): boolean =>
  /^Parcel [\d.]+$/.test(tool) && needsExports.includes(short)

/** Runs the first example of each package, one way. */
async function row(
  tool: string,
  how: string,
  runtime: string,
  run: (example: Example) => readonly string[] | Promise<readonly string[]>,
): Promise<Row> {
  const failures = new Map<string, string>()
  for (const example of firstExamples) {
    if (isExcepted(tool, shortOf(example))) continue
    try {
      const printed = await run(example)
      if (!isDeepStrictEqual(printed, example.promised)) throw new Error(`prints ${printed}`)
    } catch (error) {
      failures.set(shortOf(example), error instanceof Error ? error.message : String(error))
    }
  }
  report({ tool, how, runtime, failures })
  return { tool, how, runtime, failures }
}

function report({ tool, how, runtime, failures }: Row): void {
  const tried = packages.filter(({ short }) => !isExcepted(tool, short)).length
  console.log(`${tool}, ${how}, ${runtime}: ${tried - failures.size} of ${tried}`)
  for (const [name, failure] of failures) console.log(`    ${name}: ${failure}`)
}

/** Type checks all examples, one way. An error belongs to the package whose file it is in. */
function typeRow(compiler: string, resolution: ResolutionMode): Row {
  const errors = typeErrors(users, compiler, resolution, writeTypeScript(users, compiler))
  const failures = new Map(
    packages.flatMap(({ short }) => {
      const own = errors.filter((line) =>
        new RegExp(
          `^(${short}-\\d+\\.ts|${short}-node\\.ts|node_modules/@diffgrad/${short}/)`,
        ).test(line),
      )
      return own.length > 0 ? [[short, own.join('\n')] as const] : []
    }),
  )
  const result = {
    tool: `TypeScript ${readManifest(compiler).version}`,
    how: `\`moduleResolution: ${resolution}\``,
    runtime: 'types',
    failures,
  }
  report(result)
  return result
}

mkdirSync(tools)
mkdirSync(users)
writeFileSync(join(tools, 'package.json'), '{ "private": true }')
const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
runIn(tools, 'npm', 'install', ...options, ...Object.values(versions))
const tarballs = pack(users)
installOffline(users, tarballs.values())

const rows: Row[] = []
const node = `Node ${process.versions.node}`
for (const { name, code } of allExamples()) {
  writeFileSync(join(users, `${name}.mjs`), code)
  writeFileSync(join(users, `${name}.cjs`), asCommonJs(code))
}
rows.push(await row(node, '`import`', node, ({ name }) => runNode(users, `${name}.mjs`)))
rows.push(await row(node, '`require()`', node, ({ name }) => runNode(users, `${name}.cjs`)))
const all = [...bundlers, ...downloaded(), parcel(false), parcel(true)]
for (const one of all)
  rows.push(await row(one.name, 'bundle', node, (example) => runBundled(users, one, example)))
if (chromiumPath) {
  const browser = await launchChromium()
  const imports = await peersForPages()
  const chromium = `Chromium ${browser.version()}`
  for (const one of all)
    rows.push(
      await row(one.name, 'bundle', chromium, (example) =>
        runInPage(browser, imports, one, example),
      ),
    )
  await browser.close()
}
for (const compiler of ['typescript-5.4', 'typescript-5.9', 'typescript', 'typescript-7.0']) {
  const path = join(compiler in versions ? tools : root, 'node_modules', compiler)
  for (const resolution of resolutionModes) {
    if (compiler === 'typescript-7.0' && resolution === 'node10') continue // It was removed.
    rows.push(typeRow(path, resolution))
  }
}

const names = packages.map(({ short }) => short)
const works = ({ tool, failures }: Row): readonly string[] =>
  names.map((name) => (isExcepted(tool, name) ? '–' : failures.has(name) ? '✗' : '✓'))
const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`
const sizes = [...tarballs.values()].map((path) => kilobytes(statSync(path).size))
const pages = await Promise.all(
  names.map(async (short) => (short in mostBytes ? kilobytes(await pageBytes(users, short)) : '–')),
)
writeCompatibility(
  'Bundlers and TypeScript',
  `Written by \`pnpm check-bundlers\`, which packs the packages, installs them into an empty project and, for
each cell, runs the first example of the package's README, or type checks all its examples with \`strict\`,
\`noUncheckedIndexedAccess\` and \`exactOptionalPropertyTypes\`.

${table(
  ['tool', 'how', 'runs in', ...names],
  rows.map((one) => [one.tool, one.how, one.runtime, ...works(one)]),
)}

- Bundles leave TensorFlow.js and ONNX Runtime outside: in Node they are installed, in a page they come from
  an import map, \`onnxruntime-web/wasm\` for \`onnxruntime-node\`.
- Parcel reads \`exports\` only if the project's package.json says
  \`"@parcel/resolver-default": { "packageExports": true }\`. The dependencies of \`@diffgrad/onnx\` and of
  \`@diffgrad/onnxruntime\` (protobuf, pure-rand, \`onnxruntime-web/wasm\`) need that.
- Parcel loads \`koffi\` at the beginning, which \`@diffgrad/mpi\` imports only for Open MPI, so that it fails in a page
  unless the import map has a module of that name.
- \`moduleResolution: node10\` was removed from TypeScript 7.
- TypeScript before 5.6 does not infer the type parameter of \`evaluate\` and \`update\` in \`defineKernel\` and
  \`defineRule\`: write it, as in \`update<T>({ add, mul }: Arithmetic<T>, …)\`. These examples are left out there.
- The declarations of TensorFlow.js need \`skipLibCheck\`, as do those of protobuf, on which
  \`@diffgrad/onnx\` depends, before TypeScript 5.7.

${table(
  ['package', ...names],
  [
    ['tarball', ...sizes],
    ['`import { DiffGrad }` in a page, minified and compressed, without peers', ...pages],
  ],
)}`,
)
const cells = rows.flatMap(works)
const count = (mark: string): number => cells.filter((cell) => cell === mark).length
const failed = count('✗')
console.log(`Wrote docs/compatibility.md: ${count('✓')} cells work, ${failed} fail.`)
process.exitCode = failed > 0 ? 1 : 0
