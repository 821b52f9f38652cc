import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The packages that are published: their manifests and README examples, and how they are packed and
// installed into a folder, as a user would.

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** The fields of a package.json that are read here. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly main: string
  readonly types: string
  readonly files: readonly string[]
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  readonly publishConfig?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface PublicPackage {
  /** The absolute path of its folder. */
  readonly folder: string
  /** The name of its folder, e.g. `arrays`. */
  readonly short: string
  readonly manifest: Manifest
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** All packages that are not private, of the repository or of a copy of it. */
export const publicPackages = (repository: string = root): readonly PublicPackage[] =>
  readdirSync(join(repository, 'packages'))
    .map((short) => ({ short, folder: join(repository, 'packages', short) }))
    .map((one) => ({ ...one, manifest: readManifest(one.folder) }))
    .filter(({ manifest }) => !manifest.private)

/** A code block of a README or a guide. */
export interface Example {
  /** The name of the folder or the guide and the number of the block, e.g. `arrays-1`. */
  readonly name: string
  readonly code: string
  /** The output that a `text` block after it shows, or that its lines `console.log(…) // …` promise. */
  readonly promised: readonly string[]
}

/** The `ts` blocks of a folder's README. */
export const readExamples = (folder: string): readonly Example[] =>
  examplesIn(join(folder, 'README.md'), folder === root ? 'root' : basename(folder), 'ts')

/** The `js` blocks of the guides of the documentation. */
export const guideExamples = (): readonly Example[] =>
  readdirSync(join(root, 'docs/guides'))
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => examplesIn(join(root, 'docs/guides', page), basename(page, '.md'), 'js'))

function examplesIn(file: string, name: string, language: 'ts' | 'js'): readonly Example[] {
  const blocks = codeBlocks(readFileSync(file, 'utf8'), language)
  return blocks.map((block, i) => ({ name: `${name}-${i + 1}`, ...block }))
}

/** The code blocks of a text in Markdown, and their output. */
export function codeBlocks(
  markdown: string,
  language: string,
): readonly Pick<Example, 'code' | 'promised'>[] {
  const blocks = new RegExp(
    `^\`\`\`${language}\\n(.*?)^\`\`\`\\n(?:\\n\`\`\`text\\n(.*?)\\n\`\`\`)?`,
    'gms',
  )
  return [...markdown.matchAll(blocks)].map(([, code = '', output]) => ({
    code,
    promised:
      output?.split('\n') ??
      [...code.matchAll(/^console\.log.* \/\/ (.*)$/gm)].map(([, text]) => text),
  }))
}

/** The names of the packages that code imports. */
export const importedNames = (code: string): readonly string[] => [
  ...new Set(
    [...code.matchAll(/^ *import [^'\n]*'((?:@[^/']+\/)?[^/':]+)[/']/gm)].map(
      ([, name]) => name ?? '',
    ),
  ),
]

/** The arguments of the commands `npm install` of a text in Markdown. */
export const npmInstalls = (markdown: string): readonly (readonly string[])[] =>
  [...markdown.matchAll(/^npm install (.*)$/gm)].map(([, names = '']) => names.split(' '))

/** The examples of the repository's README and of those of all public packages. */
export const allExamples = (): readonly Example[] =>
  [root, ...publicPackages().map(({ folder }) => folder)].flatMap(readExamples)

/** The environment of a user's shell: without the variables that pnpm sets for its scripts. */
export const userEnvironment: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)),
)

/** Runs a command as a user would, and returns what it prints. */
export const runIn = (folder: string, command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: userEnvironment,
    stdio: 'pipe',
    shell: process.platform === 'win32' && command !== 'node', // There npm is a .cmd file.
  })

/** A third-party package in a field of the manifests, with the folder it is installed in. */
const thirdParty = (
  field: 'dependencies' | 'peerDependencies' | 'devDependencies',
): readonly (readonly [name: string, folder: string])[] =>
  publicPackages().flatMap(({ folder, manifest }) =>
    Object.keys(manifest[field] ?? {})
      .filter((name) => !name.startsWith('@diffgrad/'))
      .map((name) => [name, join(folder, 'node_modules', name)] as const),
  )

/** Packs every public package into a folder and returns the paths of the tarballs, by short name. */
export function pack(folder: string): ReadonlyMap<string, string> {
  return new Map(
    publicPackages().map(({ short, folder: cwd, manifest: { name, version } }) => {
      runIn(cwd, 'pnpm', 'pack', '--pack-destination', folder)
      return [short, join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)]
    }),
  )
}

/**
 * Installs packed packages into an empty folder with npm, without the network: their dependencies and
 * peers come from the workspace.
 */
export function installOffline(folder: string, tarballs: Iterable<string>): void {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }')
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps']
  const paths = thirdParty('dependencies').map(([, path]) => path)
  runIn(folder, 'npm', 'install', ...options, ...tarballs, ...paths)
  // Peers are too large to copy, and npm would look for more packages than are installed here.
  // The READMEs import @tensorflow/tfjs, too; only its core is a peer.
  const imported = thirdParty('devDependencies').filter(([name]) => name === '@tensorflow/tfjs')
  const links = new Map([...thirdParty('peerDependencies'), ...imported])
  for (const [name, path] of links) {
    mkdirSync(join(folder, 'node_modules', dirname(name)), { recursive: true })
    symlinkSync(path, join(folder, 'node_modules', name), 'junction')
  }
  // Parcel leaves outside of a bundle only what the manifest declares.
  const manifest = readManifest(folder)
  const linked = Object.fromEntries([...links.keys()].map((name) => [name, '*']))
  const dependencies = { ...manifest.dependencies, ...linked }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies }))
}
