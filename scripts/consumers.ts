import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import { allExamples, readManifest, root, userEnvironment } from './public-packages.ts'

// What a user's tools do with the packed packages: runtimes and bundlers run README examples, and
// TypeScript checks them. Everything happens in a folder in which the packages are installed.

/** Splits an example into its imports, which are one line each, and the rest. */
function splitImports(code: string): { imports: readonly string[]; body: string } {
  const lines = code.split('\n')
  const isImport = (line: string): boolean => line.startsWith('import ')
  return {
    imports: lines.filter(isImport),
    body: lines.filter((line) => !isImport(line)).join('\n'),
  }
}

/** The example with its body in an async function: bundlers differ in what they make of top-level await. */
export function withoutTopLevelAwait(code: string): string {
  const { imports, body } = splitImports(code)
  return `${imports.join('\n')}\nasync function main() {\n${body}}\nmain()\n`
}

/** The example as a CommonJS script, with `require()` for `import`. */
export function asCommonJs(code: string): string {
  const requires = (line: string): string =>
    line
      .replace(/^import '/, "import {} from '")
      .replace(/^import (?:\* as )?(.*) from ('.*')$/, 'const $1 = require($2)')
      .replace(/ as /g, ': ')
  const { imports, body } = splitImports(code)
  return `${imports.map(requires).join('\n')}\nasync function main() {\n${body}}\nmain()\n`
}

/** Where a bundle runs. Peers with native code or CommonJS stay outside of a bundle for Node. */
export type Runtime = 'Node' | 'browser'

export const peerNames: readonly string[] = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-core',
  'koffi',
  'onnxruntime-node',
  'onnxruntime-web',
]

export const isPeer = (name: string): boolean =>
  /^(@tensorflow\/|koffi|onnxruntime-(node|web))/.test(name)
const isBuiltin = (name: string): boolean => name.startsWith('node:')

export interface Bundler {
  readonly name: string
  /** Bundles the ES module `entry`, minified, into the ES module `output`. */
  bundle(entry: string, output: string, runtime: Runtime): Promise<void>
}

const version = (name: string): string => readManifest(join(root, 'node_modules', name)).version

/** The bundlers that are installed in the workspace. */
export const bundlers: readonly Bundler[] = [
  {
    name: `esbuild ${version('esbuild')}`,
    async bundle(entry, output, runtime) {
      await esbuild({
        entryPoints: [entry],
        outfile: output,
        bundle: true,
        minify: true,
        format: 'esm',
        platform: runtime === 'Node' ? 'node' : 'browser',
        external: peerNames.flatMap((name) => [name, `${name}/*`]),
        logLevel: 'silent',
      })
    },
  },
  {
    name: `Rollup ${version('rollup')}`,
    async bundle(entry, output, runtime) {
      const bundle = await rollup({
        input: entry,
        external: (name) => isBuiltin(name) || isPeer(name),
        plugins: [nodeResolve({ browser: runtime === 'browser' })],
        onwarn(warning) {
          // TypeScript's helpers in protobuf's files mention `this`.
          if (warning.code !== 'THIS_IS_UNDEFINED') throw new Error(warning.message)
        },
      })
      await bundle.write({ file: output, format: 'es', inlineDynamicImports: true })
    },
  },
  {
    name: `Vite ${version('vite')}`,
    async bundle(entry, output, runtime) {
      const file = output.slice(dirname(output).length + 1)
      await vite({
        configFile: false,
        root: dirname(entry),
        logLevel: 'silent',
        ssr: { noExternal: true, external: [], target: 'node' },
        build: {
          ssr: runtime === 'Node',
          outDir: dirname(output),
          emptyOutDir: false,
          copyPublicDir: false,
          minify: true,
          modulePreload: false,
          rolldownOptions: {
            input: entry,
            external: (name: string) => isBuiltin(name) || isPeer(name),
            output: { entryFileNames: file, format: 'es', codeSplitting: false },
          },
        },
      })
    },
  },
]

/** What a page loads for `import { DiffGrad }` of a package at most, in bytes: minified and compressed, without peers. */
export const mostBytes: Readonly<Record<string, number>> = { arrays: 30_800, tfjs: 39_600 }

/** Returns what a page loads for `import { DiffGrad }` of an installed package, as `mostBytes` counts it. */
export async function pageBytes(folder: string, short: string): Promise<number> {
  const { outputFiles } = await esbuild({
    stdin: { contents: `export { DiffGrad } from '@diffgrad/${short}'`, resolveDir: folder },
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: peerNames.flatMap((name) => [name, `${name}/*`]),
  })
  return outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0)
}

/** Runs a script with this Node and returns its lines; throws what it prints to stderr if it fails. */
export function runNode(folder: string, script: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: folder,
    encoding: 'utf8',
    env: userEnvironment,
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

/** Bundles an example for Node and returns the lines that the bundle prints. */
export async function runBundled(
  folder: string,
  { name, bundle }: Bundler,
  example: { readonly name: string; readonly code: string },
): Promise<readonly string[]> {
  const file = `${example.name}-${name.replaceAll(/\W+/g, '-')}`
  writeFileSync(join(folder, `${file}.entry.js`), withoutTopLevelAwait(example.code))
  await bundle(join(folder, `${file}.entry.js`), join(folder, `${file}.mjs`), 'Node')
  return runNode(folder, `${file}.mjs`)
}

/** How TypeScript finds a package. */
export type ResolutionMode = 'node10' | 'node16' | 'bundler'

export const resolutionModes: readonly ResolutionMode[] = ['node10', 'node16', 'bundler']

const resolutionOptions: Readonly<Record<ResolutionMode, readonly string[]>> = {
  node10: ['--module', 'esnext', '--moduleResolution', 'node10'],
  node16: ['--module', 'node16'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
}

/** Options as strict as a user may have them. Declarations of packages are checked, too. */
const strictOptions: readonly string[] = [
  ...['--noEmit', '--pretty', 'false', '--target', 'es2022', '--strict'],
  ...['--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'],
]

/**
 * Errors in the declarations of other packages: TensorFlow.js's contradict those of the DOM, protobuf's
 * need TypeScript 5.7.
 */
const foreign = /node_modules\/(?!@diffgrad\/)/

const compilerVersion = (compiler: string): readonly number[] =>
  readManifest(compiler).version.split('.').map(Number)

/**
 * Writes the README examples as TypeScript, and the import of a subpath, and returns the names of the
 * files. Before 5.6, TypeScript does not infer generic functions in the arguments of generic functions:
 * whoever declares a rule or a kernel there has to write the type parameter.
 */
export function writeTypeScript(folder: string, compiler: string): readonly string[] {
  const [major = 0, minor = 0] = compilerVersion(compiler)
  const inferred = major > 5 || minor >= 6
  const subpath = {
    name: 'onnxruntime-node',
    code: "import { replaceFile } from '@diffgrad/onnxruntime/node'\nawait replaceFile('a', new Uint8Array(1))\n",
  }
  const examples = allExamples().filter(({ code }) => inferred || !/define(Rule|Kernel)/.test(code))
  return [...examples, subpath].map(({ name, code }) => {
    writeFileSync(join(folder, `${name}.ts`), code)
    return `${name}.ts`
  })
}

/**
 * Type checks files and returns the errors, except those in the declarations of other packages.
 *
 * @param compiler - the folder of a `typescript` package.
 */
export function typeErrors(
  folder: string,
  compiler: string,
  resolution: ResolutionMode,
  files: readonly string[],
): readonly string[] {
  const isDeprecated = compilerVersion(compiler)[0] === 6 && resolution === 'node10'
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(compiler, 'bin/tsc'),
      ...strictOptions,
      ...resolutionOptions[resolution],
      ...(isDeprecated ? ['--ignoreDeprecations', '6.0'] : []),
      ...files,
    ],
    { cwd: folder, encoding: 'utf8', env: userEnvironment },
  )
  const errors = stdout.split('\n').filter((line) => /(^|: )error TS\d+: /.test(line))
  if (status !== 0 && errors.length === 0) throw new Error(stdout + stderr)
  return errors.filter((line) => !foreign.test(line))
}

const compatibility = join(root, 'docs/compatibility.md')

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** The sections of docs/compatibility.md; each begins with its title. What is before the first is the first item. */
const compatibilitySections = (): readonly string[] =>
  readFileSync(compatibility, 'utf8').split(/^## /m)

/** The rows of the first table of a section of docs/compatibility.md, without its head. */
export function tableRows(title: string): readonly (readonly string[])[] {
  const section = compatibilitySections().find((text) => text.startsWith(`${title}\n`)) ?? ''
  const [first = ''] = section.match(/^\|(.|\n\|)*/m) ?? []
  const cells = (line: string): readonly string[] => line.slice(2, -2).split(' | ')
  return first.split('\n').slice(2).map(cells)
}

/** Replaces a section of docs/compatibility.md, or appends it. */
export function writeCompatibility(title: string, body: string): void {
  const sections = [...compatibilitySections()]
  const found = sections.findIndex((section) => section.startsWith(`${title}\n`))
  const at = found < 0 ? sections.length : found
  sections[at] = `${title}\n\n${body}`
  const text = sections.map((section) => section.trimEnd()).join('\n\n## ')
  writeFileSync(compatibility, `${text}\n`)
}
