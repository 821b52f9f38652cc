import { Argument, type Command } from 'commander'
import {
  type CacheEntry,
  type CacheKind,
  cacheFolder,
  cacheKinds,
  clearCache,
  listCache,
} from '../data/cache.ts'
import { commandLine } from './command-line.ts'

/** Adds `cache`: shows or removes downloaded, unpacked and decoded data. */
export function addCache(program: Command): void {
  const command = program
    .command('cache')
    .description('show downloaded, unpacked and decoded data, or remove it')
  command
    .command('show', { isDefault: true })
    .description('print what the cache holds, its size, and when it was used last')
    .action(async () => {
      const entries = await listCache(cacheFolder())
      console.log(`cache  ${cacheFolder()}`)
      console.log(entries.length > 0 ? cacheTable(entries) : 'It is empty.')
    })
  command
    .command('clear')
    .description('remove what the cache holds, unless a process uses it')
    .addArgument(new Argument('[what]', 'only this (default: everything)').choices(cacheKinds))
    .action(async (what?: CacheKind) => {
      const entries = await clearCache(cacheFolder(), what === undefined ? cacheKinds : [what])
      console.log(`removed ${entries.length} entries, ${formatSize(totalSize(entries))}`)
    })
}

const totalSize = (entries: readonly CacheEntry[]): number =>
  entries.reduce((sum, { size }) => sum + size, 0)

/** Bytes → 93 MB. */
const formatSize = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(0)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`

function cacheTable(entries: readonly CacheEntry[]): string {
  const rows = entries.map(({ kind, name, content, size, lastUsed }) => [
    kind,
    content ?? name,
    formatSize(size),
    lastUsed.toLocaleDateString('sv'),
  ])
  const [kinds, names, sizes] = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column].length)),
  )
  return [
    '',
    ...rows.map(
      ([kind, name, size, used]) =>
        `${kind.padEnd(kinds)}  ${name.padEnd(names)}  ${size.padStart(sizes)}  last used ${used}`,
    ),
    '',
    `total ${formatSize(totalSize(entries))}`,
    `to remove it: ${commandLine('cache', 'clear')}`,
  ].join('\n')
}
