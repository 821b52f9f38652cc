import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CsvError, parse } from 'csv-parse/sync'
import { Failure } from '../failure.ts'
import type { ImageFile, ImageListing } from './dataset.ts'
import { type Folder, filesIn, type SkippedFile } from './tree.ts'

/** Whether a file may be a table of labels. */
export const isLabelTable = (path: string): boolean => /\.[ct]sv$/i.test(path)

/** Names of columns, without case, spaces, hyphens and underscores, in the order of preference. */
const columnNames = {
  file: 'path filepath file filename imagepath image imagefile imagename imageid img',
  label: 'label labels class classname classlabel category target',
  split: 'split subset partition set isvalid isvalidation',
} as const

/** A table that does not label files beside it. */
export class UnrelatedTable extends Failure {}

/** The split that a cell names; undefined for a name of neither split. */
const splitOf = (cell: string): 'train' | 'validation' | 'test' | undefined => {
  const name = cell.trim().toLowerCase()
  if (['train', 'training', 'false', '0'].includes(name)) return 'train'
  if (['val', 'valid', 'validation', 'dev', 'true', '1'].includes(name)) return 'validation'
  return name === 'test' ? 'test' : undefined
}

/**
 * Lists the images of a table of labels: a CSV, with commas, semicolons or tabs. A file is found by its
 * path in the folder of the table or, if that is unique, by its name with or without extension.
 *
 * @param folder - the folder of the table, as read by `readTree`.
 * @throws {UnrelatedTable} If it lacks a column, or none of its files exists.
 * @throws {Failure} If it cannot be read, or a cell is invalid.
 */
export async function readLabelTable(
  root: string,
  folder: Folder,
  name: string,
): Promise<ImageListing> {
  const path = join(root, name)
  const [header = [], ...rows] = parseTable(path, await readText(path))
  const columns = {
    file: findColumn(header, 'file'),
    label: findColumn(header, 'label'),
    split: findColumn(header, 'split'),
  }
  for (const key of ['file', 'label'] as const)
    if (columns[key] === undefined)
      throw new UnrelatedTable(
        `${path} must have a column ${key}, or ${columnNames[key].split(' ').join(', ')}; its columns are ${header.join(', ')}`,
      )
  const cell = (row: readonly string[], key: keyof typeof columns): string =>
    row[columns[key] ?? -1]?.trim() ?? ''
  const find = fileFinder(folder)
  const skipped: SkippedFile[] = []
  const labels = new Map<string, { readonly label: string; readonly split: string }>()
  for (const [i, row] of rows.entries()) {
    const [text, label, split] = [cell(row, 'file'), cell(row, 'label'), cell(row, 'split')]
    const file = find(text)
    const known = file === undefined ? undefined : labels.get(file)
    const line = { file: file ?? text, line: i + 2 }
    const skip = (reason: string): void => {
      skipped.push({ file: line.file || `line ${line.line} of ${name}`, reason })
    }
    if (file === undefined) skip(`named in ${name}, but not a file beside it`)
    else if (label === '') skip(`without a label in ${name}`)
    else if (known && known.label !== label) skip(`listed again with another label in ${name}`)
    else if (known) skip(`listed again in ${name}`)
    else if (columns.split !== undefined && splitOf(split) === undefined)
      throw new Failure(
        `${path}, line ${line.line}: the split must be train, val or test, but is ${split || 'empty'}`,
      )
    else labels.set(file, { label, split })
  }
  if (labels.size === 0)
    throw new UnrelatedTable(`${path} must name files beside it, but names none of ${rows.length}`)
  return listingOf(root, name, labels, columns.split !== undefined, skipped)
}

function listingOf(
  root: string,
  name: string,
  labels: ReadonlyMap<string, { readonly label: string; readonly split: string }>,
  hasSplit: boolean,
  skipped: readonly SkippedFile[],
): ImageListing {
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1))
  const splits = new Set(sorted.map(([, { split }]) => splitOf(split)))
  const isSplit = hasSplit && splits.size > 1
  const validationName = splits.has('validation') ? 'validation' : 'test'
  const trained = sorted.filter(([, { split }]) => !isSplit || splitOf(split) === 'train')
  const classes = [...new Set(trained.map(([, { label }]) => label))].sort((a, b) =>
    a < b ? -1 : 1,
  )
  const imageOf = ([path, { label }]: (typeof sorted)[number]): ImageFile => ({
    path,
    label: classes.indexOf(label),
  })
  const validated = sorted.filter(([, { split }]) => splitOf(split) === validationName)
  const unknown = validated.find(([, { label }]) => !classes.includes(label))
  if (isSplit && unknown)
    throw new Failure(
      `${join(root, name)}: the class ${unknown[1].label} of ${unknown[0]} has no training images`,
    )
  return {
    root,
    classes,
    train: trained.map(imageOf),
    validation: isSplit ? validated.map(imageOf) : undefined,
    namedByPath: false,
    skipped,
    warnings:
      splits.has('validation') && splits.has('test')
        ? [`The split test of ${name} is not used: val is the validation split.`]
        : [],
  }
}

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${path} cannot be read: ${error.code}`)
  })

/** The rows of a table, as texts. The delimiter is the one that the first line has most of. */
function parseTable(path: string, text: string): readonly (readonly string[])[] {
  const [first] = text.split('\n', 1)
  const [delimiter] = [',', ';', '\t'].sort((a, b) => first.split(b).length - first.split(a).length)
  try {
    return parse(text, {
      delimiter,
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      trim: true,
    })
  } catch (error) {
    if (error instanceof CsvError) throw new Failure(`${path} is not a CSV: ${error.message}`)
    throw error
  }
}

function findColumn(header: readonly string[], key: keyof typeof columnNames): number | undefined {
  const names = header.map((name) => name.toLowerCase().replace(/[\s_-]/g, ''))
  const found = columnNames[key].split(' ').find((name) => names.includes(name))
  return found === undefined ? undefined : names.indexOf(found)
}

/** Finds files by their path in a folder, or by their name with or without extension if it is unique. */
function fileFinder(folder: Folder): (text: string) => string | undefined {
  const prefix = folder.path === '' ? 0 : folder.path.length + 1
  const paths = filesIn(folder).map((path) => path.slice(prefix))
  const files = new Map<string, string | undefined>()
  const add = (name: string, path: string): void => {
    files.set(name, files.has(name) ? undefined : path)
  }
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const stem = name.replace(/\.[^.]+$/, '')
    for (const key of new Set([name, stem])) add(`name ${key}`, path)
  }
  const exact = new Set(paths)
  return (text) => {
    const path = text.replaceAll('\\', '/').replace(/^\.\//, '')
    if (path === '') return undefined
    return exact.has(path) ? path : files.get(`name ${path.slice(path.lastIndexOf('/') + 1)}`)
  }
}
