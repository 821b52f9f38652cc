import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'

// `pnpm house`: files, lines and import cycles of the TypeScript sources. `pnpm house --at <revision>`
// prints the same of a commit. Exits with 1 if files import each other in a cycle, types included.

/** A file of at most so many lines counts as short. */
const short = 20

/** Whether a file counts: a source of a package that is neither test, script nor generated. */
const isSource = (path: string): boolean =>
  /^(packages\/[^/]+|apps\/[^/]+|benchmarks)\/src\/.*\.tsx?$/.test(path) &&
  !/_pb\.ts$|\.d\.ts$|\/generated\//.test(path)

const packageOf = (path: string): string => path.slice(0, path.indexOf('/src/'))

/** Imported files by importing file. */
type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>

/** Reads the source files below a folder, by path. */
function readSources(folder: string, listed: string): ReadonlyMap<string, string> {
  const paths = listed
    .split('\0')
    .filter((path) => isSource(path) && existsSync(join(folder, path)))
  return new Map(
    [...new Set(paths)].sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  )
}

/** Extracts a revision into a temporary folder while `use` runs. */
function withRevision<T>(root: string, revision: string, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'house-'))
  try {
    const archive = join(folder, 'revision.tar')
    execFileSync('git', ['archive', '--output', archive, revision], { cwd: root })
    execFileSync('tar', ['-xf', 'revision.tar'], { cwd: folder })
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The source file behind each import path of the workspace, e.g. `@diffgrad/core`. */
function workspaceEntries(
  folder: string,
  sources: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const packages = [...new Set([...sources.keys()].map(packageOf))]
  return new Map(
    packages.flatMap((path) => {
      const { name, exports = {} } = JSON.parse(
        readFileSync(join(folder, path, 'package.json'), 'utf8'),
      )
      return Object.entries(exports).flatMap(([subpath, conditions]) => {
        const source = Object(conditions)['@diffgrad/source']
        if (typeof source !== 'string') return []
        return [[posix.join(name, subpath), posix.join(path, source)] as const]
      })
    }),
  )
}

/** Parses the imports and re-exports of every file, types included. */
function importGraph(
  sources: ReadonlyMap<string, string>,
  entries: ReadonlyMap<string, string>,
): ImportGraph {
  const resolve = (from: string, specifier: string): string | undefined =>
    specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : entries.get(specifier)
  return new Map(
    [...sources].map(([path, text]) => {
      const imported = ts
        .preProcessFile(text, true, true)
        .importedFiles.map(({ fileName }) => resolve(path, fileName))
      const own = imported.filter((it): it is string => it !== undefined && sources.has(it))
      return [path, new Set(own)] as const
    }),
  )
}

/**
 * The imports between the entries (files and folders) of one folder: for `src/a/x.ts` importing
 * `src/b/y.ts` that `src/a` imports `src/b`. Imports of a folder from its own index are no cycle, then,
 * but two folders that use each other are.
 */
function siblingGraph(graph: ImportGraph): ImportGraph {
  const siblings = new Map<string, Set<string>>()
  for (const [path, imported] of graph) {
    for (const target of imported) {
      const [from, to] = [path.split('/'), target.split('/')]
      const depth = from.findIndex((name, i) => name !== to[i])
      const [entry, used] = [from, to].map((names) => names.slice(0, depth + 1).join('/'))
      siblings.set(entry, (siblings.get(entry) ?? new Set()).add(used))
    }
  }
  return siblings
}

/** A shortest cycle through each node that lies on one; cycles of the same nodes count once. */
function cyclesOf(graph: ImportGraph): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>()
  for (const start of graph.keys()) {
    const previous = new Map<string, string>()
    const queue = [start]
    for (const node of queue) {
      const targets = graph.get(node) ?? new Set()
      if (targets.has(start)) {
        const cycle: string[] = []
        for (let at: string | undefined = node; at !== undefined; at = previous.get(at)) {
          cycle.unshift(at)
        }
        found.set([...cycle].sort().join(), cycle)
        break
      }
      for (const target of targets) {
        if (target === start || previous.has(target)) continue
        previous.set(target, node)
        queue.push(target)
      }
    }
  }
  return [...found.values()]
}

function printFigures(sources: ReadonlyMap<string, string>): void {
  const figures = (name: string, texts: readonly string[]): string => {
    const lengths = texts.map((text) => text.split('\n').length - 1)
    const lines = lengths.reduce((sum, length) => sum + length, 0)
    const share = lengths.filter((length) => length <= short).length / lengths.length
    const columns = [lengths.length, lines, Math.round(lines / lengths.length)]
    return `${name.padEnd(32)}${columns.map((n) => String(n).padStart(7)).join('')}${`${Math.round(100 * share)} %`.padStart(9)}`
  }
  console.log(`${'sources'.padEnd(32)}  files  lines   mean  ≤ ${short} lines`)
  const packages = [...new Set([...sources.keys()].map(packageOf))]
  for (const name of packages) {
    const own = [...sources].filter(([path]) => packageOf(path) === name)
    console.log(
      figures(
        name,
        own.map(([, text]) => text),
      ),
    )
  }
  console.log(figures('all', [...sources.values()]))
}

function report(folder: string, listed: string): void {
  const sources = readSources(folder, listed)
  printFigures(sources)
  const graph = importGraph(sources, workspaceEntries(folder, sources))
  const files = cyclesOf(graph)
  const folders = cyclesOf(siblingGraph(graph)).filter((cycle) =>
    cycle.some((entry) => !sources.has(entry)),
  )
  console.log(`\nimport cycles of files: ${files.length}; of folders: ${folders.length}`)
  for (const cycle of [...files, ...folders]) console.log(`  ${[...cycle, cycle[0]].join(' → ')}`)
  process.exitCode = files.length === 0 ? 0 : 1
}

const root = fileURLToPath(new URL('..', import.meta.url))
const { at } = parseArgs({ options: { at: { type: 'string' } } }).values
const git = (...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
if (at === undefined) {
  report(root, git('ls-files', '--cached', '--others', '--exclude-standard', '-z'))
} else {
  withRevision(root, at, (folder) => report(folder, git('ls-tree', '-r', '--name-only', '-z', at)))
}
