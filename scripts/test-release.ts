import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  importedNames,
  publicPackages,
  readExamples,
  readManifest,
  root,
  runIn,
  userEnvironment,
} from './public-packages.ts'

// `pnpm test-release`: releases a copy of the repository to a registry of its own on this machine,
// installs each package by name into an empty project and runs its README's first example there, then
// releases a patch and installs the update. The repository is not changed, and nothing is published
// anywhere else: the copy knows no other registry and has no other token.

const verdaccio = 'verdaccio@6.8.0'

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-release-'))
const copy = join(folder, 'repository')
const npmrc = join(folder, 'npmrc')

/** Runs one step and prints its title with the seconds it took, and the lines it returns. */
async function step(title: string, run: () => Promise<string[]> | string[]): Promise<void> {
  const start = performance.now()
  const lines = await run()
  console.log(`${title} (${((performance.now() - start) / 1000).toFixed(0)} s)`)
  for (const line of lines) console.log(`    ${line}`)
}

/** Throws unless a fact holds that this test must show. */
function check(fact: string, holds: boolean): void {
  if (!holds) throw new Error(`test-release: this should hold, but does not: ${fact}`)
}

/** Copies the tracked files, and new ones that are not ignored, into a repository of its own. */
function copyRepository(): void {
  const listed = runIn(root, 'git', 'ls-files', '-z', '-co', '--exclude-standard')
  for (const path of listed.split('\0').filter((path) => path && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(join(root, path), join(copy, path))
  }
  runIn(copy, 'git', 'init', '--quiet', '--initial-branch=main')
  commit('copy')
}

function commit(message: string): void {
  runIn(copy, 'git', 'add', '--all')
  const identity = ['-c', 'user.name=release-test', '-c', 'user.email=release-test@localhost']
  runIn(copy, 'git', ...identity, 'commit', '--quiet', '--no-verify', '--message', message)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || !address) throw new Error('test-release: no free port')
  return address.port
}

/** Starts a registry that serves @diffgrad and nothing else, and waits until it answers. */
async function startRegistry(port: number): Promise<ChildProcess> {
  const config = join(folder, 'verdaccio.yaml')
  writeFileSync(
    config,
    `storage: ${JSON.stringify(join(folder, 'storage'))}
listen: 127.0.0.1:${port}
web: { enable: false }
uplinks: {}
auth: { htpasswd: { file: ${JSON.stringify(join(folder, 'users'))} } }
packages: { '@diffgrad/*': { access: $all, publish: $authenticated } }
log: { type: stdout, format: json, level: warn }
`,
  )
  const cli = join(folder, 'registry/node_modules/verdaccio/bin/verdaccio')
  const child = spawn(process.execPath, [cli, '--config', config], {
    cwd: folder,
    env: { ...userEnvironment, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.once('exit', () => child.kill())
  const ping = `http://127.0.0.1:${port}/-/ping`
  const answers = (): Promise<boolean> =>
    fetch(ping).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await answers())) {
    check('the registry is running', child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return child
}

/** Creates a user of the registry, which lives as long as it does, and returns the user's token. */
async function createUser(registry: string): Promise<string> {
  const user = { name: 'release-test', password: 'release-test-only' }
  const response = await fetch(`${registry}-/user/org.couchdb.user:${user.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  })
  const { token } = await response.json()
  check(`the registry creates a user (${response.status})`, typeof token === 'string')
  return token
}

/** Versions, builds and publishes the copy, as `pnpm version-packages` and `pnpm release` do. */
function release(registry: string): string[] {
  const script = (...args: readonly string[]): string => runIn(copy, 'pnpm', 'exec', ...args)
  runIn(copy, 'pnpm', 'run', 'version-packages')
  commit('version')
  const projects = publicPackages(copy).map(({ short }) => `packages/${short}`)
  script('tsc', '-b', ...projects)
  for (const key of ['registry', '@diffgrad:registry']) {
    const value = runIn(copy, 'pnpm', 'config', 'get', key).trim()
    check(`${key} of the copy is the registry on this machine`, value === registry)
  }
  script('changeset', 'publish', '--no-git-tag')
  return publicPackages(copy).map(({ folder, manifest: { name, version } }) => {
    const changelog = readFileSync(join(folder, 'CHANGELOG.md'), 'utf8')
    const [, entry = ''] = changelog.split(/^## .*$/m)
    const [first = ''] = entry.split('\n').filter((line) => line && !line.startsWith('#'))
    check(`the changelog of ${name} says something about ${version}`, first.length > 0)
    check(`it is about ${version}`, changelog.includes(`\n## ${version}\n`))
    return `${name} ${version}: ${first.slice(0, 70)}`
  })
}

/** The packages that an example imports, those of others at the versions of the workspace. */
function importedPackages(code: string, manifestFolder: string): readonly string[] {
  return importedNames(code).map((name) =>
    name.startsWith('@diffgrad/')
      ? name
      : `${name}@${readManifest(join(manifestFolder, 'node_modules', name)).version}`,
  )
}

/** Runs npm for each package in a project of its own, and its README's first example there. */
function tryOut(npm: (short: string, imported: readonly string[]) => readonly string[]): string[] {
  return publicPackages(copy).map(({ short, folder: source, manifest: { name, version } }) => {
    const project = join(folder, 'projects', short)
    mkdirSync(project, { recursive: true })
    const [example] = readExamples(source)
    check(`the README of ${name} has an example`, example !== undefined)
    const imported = importedPackages(example?.code ?? '', join(root, 'packages', short))
    const options = ['--userconfig', npmrc, '--ignore-scripts', '--no-audit', '--no-fund']
    runIn(project, 'npm', ...npm(name, imported), ...options)
    writeFileSync(join(project, 'readme.mjs'), example?.code ?? '')
    const printed = runIn(project, 'node', 'readme.mjs').trimEnd().split('\n')
    check(
      `${name} prints ${example?.promised}, not ${printed}`,
      isDeepStrictEqual(printed, example?.promised),
    )
    const installed = join(project, 'node_modules', name)
    const got = readManifest(installed).version
    check(`${name} is installed at ${version}, not ${got}`, got === version)
    check(`${name} has its changelog`, existsSync(join(installed, 'CHANGELOG.md')))
    return `${name}@${got} prints ${printed.join(' / ')}`
  })
}

let child: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
try {
  const port = await freePort()
  const registry = `http://127.0.0.1:${port}/`
  writeFileSync(npmrc, `@diffgrad:registry=${registry}\n`)

  await step('Copy the repository and install its dependencies', () => {
    copyRepository()
    writeFileSync(join(copy, '.npmrc'), `@diffgrad:registry=${registry}\n`)
    const only = publicPackages(copy).flatMap(({ manifest: { name } }) => ['--filter', name])
    const filters = ['--filter', 'diffgrad-workspace', '--filter', '@diffgrad/testing', ...only]
    runIn(copy, 'pnpm', 'install', '--frozen-lockfile', '--prefer-offline', ...filters)
    return []
  })
  await step(`Start ${verdaccio} on 127.0.0.1`, async () => {
    const home = join(folder, 'registry')
    mkdirSync(home)
    // verdaccio asks for node-fetch by a tag, which not every mirror of npm has.
    writeFileSync(join(home, 'package.json'), '{ "overrides": { "node-fetch": "2.7.0" } }')
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
    runIn(home, 'npm', 'install', ...options, verdaccio)
    child = await startRegistry(port)
    // From here on, the copy publishes to this registry only.
    const token = await createUser(registry)
    const lines = [`registry=${registry}`, `@diffgrad:registry=${registry}`]
    const login = `//127.0.0.1:${port}/:_authToken=${token}`
    writeFileSync(join(copy, '.npmrc'), `${[...lines, login].join('\n')}\n`)
    return []
  })
  await step('Release: versions, changelogs, build, publish', () => release(registry))
  await step('Install each package by name, and run its README', () =>
    tryOut((name, imported) => ['install', ...new Set([name, ...imported])]),
  )
  await step('Release a patch of @diffgrad/core', () => {
    const changeset = "---\n'@diffgrad/core': patch\n---\n\nA fix, for the release test.\n"
    writeFileSync(join(copy, '.changeset/release-test.md'), changeset)
    commit('fix')
    return release(registry)
  })
  await step('Update each package, and run its README', () => tryOut(() => ['update']))
  const versioned = readdirSync(join(copy, 'packages'))
    .map((name) => join(copy, 'packages', name))
    .filter((path) => readManifest(path).private)
    .filter((path) => existsSync(join(path, 'CHANGELOG.md')))
  check(`private packages have no changelog, but these do: ${versioned}`, versioned.length === 0)
  console.log('The release works.')
} catch (error) {
  const { stdout = '', stderr = '' } = Object(error)
  console.error(error instanceof Error ? error.message : error, stdout, stderr)
  process.exitCode = 1
} finally {
  child?.kill()
}
