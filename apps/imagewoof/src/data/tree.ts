import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import picomatch from 'picomatch'
import { Failure } from '../failure.ts'
import type { ProgressOptions } from './progress.ts'

/** A file or folder that is left out of a data set. */
export interface SkippedFile {
  /** Relative to the data set, with slashes. */
  readonly file: string
  readonly reason: string
}

/** How many files are skipped for each reason, most frequent first: `3 hidden, 1 dangling link`. */
export function countReasons(skipped: readonly SkippedFile[]): string {
  const counts = new Map<string, number>()
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} × ${reason}`)
    .join('; ')
}

/** The visible content of a folder. Names are sorted by code units, which do not depend on the locale. */
export interface Folder {
  readonly name: string
  /** Relative to the folder that was read, with slashes; empty for that folder. */
  readonly path: string
  readonly folders: readonly Folder[]
  /** Names of regular files and of links to them. */
  readonly files: readonly string[]
}

/** Options of `readTree`. */
export interface TreeOptions extends ProgressOptions {
  /** Patterns of paths to leave out, such as `val/**` or `*.gif`. */
  readonly exclude?: readonly string[] | undefined
}

/**
 * Reads a folder with all folders in it. Files of operating systems, hidden files, and everything that is
 * neither file nor folder are left out and listed in `skipped`. Links to folders outside are followed
 * once; links to folders inside or around are skipped, so that cycles end.
 *
 * @throws {Failure} If the folder cannot be read, or a pattern of `exclude` matches nothing.
 * @throws the signal's reason if it aborts.
 */
export async function readTree(
  path: string,
  { exclude = [], onProgress, signal }: TreeOptions = {},
): Promise<{ readonly top: Folder; readonly skipped: readonly SkippedFile[] }> {
  const skipped: SkippedFile[] = []
  const patterns = exclude.map((text) => ({ text, matches: pathMatcher(text), used: false }))
  const top = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${path} cannot be read: ${error.code}`)
  })
  let done = 0

  /** Whether a pattern matches. All patterns are tried, so that each is known to be used. */
  const isExcluded = (file: string): boolean => {
    const matching = patterns.filter(({ matches }) => matches(file))
    for (const pattern of matching) pattern.used = true
    return matching.length > 0
  }

  async function readFolder(name: string, file: string, linked: boolean): Promise<Folder> {
    signal?.throwIfAborted()
    const folders: Folder[] = []
    const files: string[] = []
    for (const entry of await entriesOf(file)) {
      const inner = file === '' ? entry.name : `${file}/${entry.name}`
      if (isExcluded(inner)) continue
      const reason = systemFileReason(entry.name) ?? (await kindOf(entry, inner, linked))
      if (reason === 'file') files.push(entry.name)
      else if (reason === 'folder') folders.push(await readFolder(entry.name, inner, linked))
      else if (reason === 'linked folder') folders.push(await readFolder(entry.name, inner, true))
      else skipped.push({ file: inner, reason })
      if (++done % 10_000 === 0)
        onProgress?.({ task: 'listing', done, total: undefined, unit: 'images' })
    }
    return { name, path: file, folders, files }
  }

  async function entriesOf(file: string): Promise<readonly Dirent[]> {
    try {
      const entries = await readdir(join(path, file), { withFileTypes: true })
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException // Of a call of node:fs.
      if (file === '') throw new Failure(`${path} cannot be read: ${code}`)
      skipped.push({ file, reason: `cannot be read (${code})` })
      return []
    }
  }

  /** `file`, `folder`, `linked folder`, or the reason why an entry is skipped. */
  async function kindOf(entry: Dirent, file: string, linked: boolean): Promise<string> {
    if (entry.isFile()) return 'file'
    if (entry.isDirectory()) return 'folder'
    const full = join(path, file)
    const found = await stat(full).catch((error: NodeJS.ErrnoException) => error.code)
    if (found === 'ENOENT') return 'dangling link'
    if (found === undefined || typeof found === 'string') return `cannot be read (${found})`
    if (found.isFile()) return 'file'
    if (found.isFIFO()) return 'FIFO, not a file'
    if (found.isSocket()) return 'socket, not a file'
    if (!found.isDirectory()) return 'device, not a file'
    if (!entry.isSymbolicLink()) return 'folder'
    const target = await realpath(full)
    if (linked || contains(top, target) || contains(target, top))
      return 'link to a folder that is inside or around this one'
    return 'linked folder'
  }

  const tree = await readFolder('', '', false)
  const unused = patterns.find(({ used }) => !used)
  if (unused) throw new Failure(`--exclude ${unused.text} matches no file in ${path}`)
  return { top: tree, skipped }
}

/** Whether a path is a folder or inside it. */
function contains(folder: string, path: string): boolean {
  const steps = relative(folder, path).split(sep)
  return steps[0] !== '..'
}

/** A pattern matches a path from the top folder, or from any folder in it. */
function pathMatcher(pattern: string): (path: string) => boolean {
  const plain = pattern.replace(/^\.?\/+|\/+$/g, '')
  return picomatch([plain, `**/${plain}`], { dot: true })
}

const systemFiles: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^(__MACOSX|\.DS_Store|\._.*|\.AppleDouble|\.Spotlight-V100|\.Trashes)$/, 'written by macOS'],
  [
    /^(e?h?thumbs\.db|desktop\.ini|\$RECYCLE\.BIN|System Volume Information)$/i,
    'written by Windows',
  ],
  [/^(@eaDir|@Recycle|@Recently-Snapshot|#recycle|#snapshot)$/, 'written by a network storage'],
  [/^\./, 'hidden'],
]

/** Why an entry is certainly not an image of the user; undefined if it may be one. */
const systemFileReason = (name: string): string | undefined =>
  systemFiles.find(([names]) => names.test(name))?.[1]

/** All files of a folder and of the folders in it, as paths relative to the top folder. */
export const filesIn = ({ path, folders, files }: Folder): readonly string[] => [
  ...files.map((file) => (path === '' ? file : `${path}/${file}`)),
  ...folders.flatMap(filesIn),
]

const imageExtensions = new Set(
  `jpg jpeg jpe jfif png webp gif tif tiff avif heic heif bmp dib ico ppm pgm pbm pnm svg psd jxl jp2
  cr2 cr3 nef arw dng raf orf rw2 pdf`.split(/\s+/),
)

/** The extension of a file name in lower case; empty if it has none. */
const extensionOf = (file: string): string =>
  file.match(/[^/]\.([^./]{1,10})$/)?.[1].toLowerCase() ?? ''

/** Whether a name may be that of an image, in a supported format or not. */
export const hasImageName = (file: string): boolean => {
  const extension = extensionOf(file)
  return extension === '' || imageExtensions.has(extension)
}

/** Whether a folder, or any folder in it, holds a file with the name of an image. */
export const holdsImages = ({ files, folders }: Folder): boolean =>
  files.some(hasImageName) || folders.some(holdsImages)

/** Lines that say what a folder holds: folders, file counts and extensions. For error messages. */
export function describeFolder(folder: Folder): string {
  const shown = 10
  const rows = [
    ...(folder.files.length > 0 ? [`${countExtensions(folder.files)} beside the folders`] : []),
    ...folder.folders
      .slice(0, shown)
      .map((inner) => `${inner.name}/  ${countExtensions(filesIn(inner))}${foldersIn(inner)}`),
    ...(folder.folders.length > shown ? [`and ${folder.folders.length - shown} more folders`] : []),
  ]
  const found = rows.length > 0 ? rows : ['nothing']
  return `found:\n${found.map((row) => `  ${row}`).join('\n')}`
}

const foldersIn = ({ folders }: Folder): string => {
  if (folders.length === 0) return ''
  const names = folders.slice(0, 5).map(({ name }) => name)
  return `, in folders ${[...names, ...(folders.length > 5 ? ['…'] : [])].join(', ')}`
}

/** Such as `120 files (118 jpg, 2 txt)`. */
function countExtensions(files: readonly string[]): string {
  if (files.length === 0) return 'no files'
  const counts = new Map<string, number>()
  for (const file of files) {
    const extension = extensionOf(file) || 'without extension'
    counts.set(extension, (counts.get(extension) ?? 0) + 1)
  }
  const kinds = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([extension, count]) => `${count} ${extension}`)
  return `${files.length} ${files.length === 1 ? 'file' : 'files'} (${kinds.join(', ')})`
}
