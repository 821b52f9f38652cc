import { CsvError, parse } from 'csv-parse/browser/esm/sync'
import { folderOf, nameOf, type PathFile } from './files.ts'

/** What a model reads. */
export type Task = 'image' | 'text'

/** A picture or a text of a class. */
export interface Example {
  /** A picture's file or a text. */
  readonly content: Blob | string
  /** An index into the labels. */
  readonly label: number
  /** The path of a file, or the line of a text. */
  readonly name: string
}

/** Labelled examples of at least two classes. */
export interface Examples {
  readonly task: Task
  /** The names of the classes, sorted. */
  readonly labels: readonly string[]
  readonly examples: readonly Example[]
  /** What was left out, and why. */
  readonly problems: readonly string[]
}

/** The names that the columns of a CSV file may have, in any case. */
const textColumns: readonly string[] = [
  'text',
  'sentence',
  'content',
  'message',
  'review',
  'comment',
  'question',
]
const labelColumns: readonly string[] = [
  'label',
  'class',
  'category',
  'target',
  'sentiment',
  'intent',
  'topic',
]

const pictureNames = /\.(png|jpe?g|webp|gif|bmp|avif)$/i
const tableNames = /\.(csv|tsv)$/i

/**
 * Reads labelled examples: one CSV file of texts, or folders of pictures, each named as its class.
 *
 * @throws {Error} If no example is found, all are of one class, or a file has no column of texts or labels.
 */
export async function readExamples(files: readonly PathFile[]): Promise<Examples> {
  const [table, ...others] = files.filter(({ path }) => tableNames.test(path))
  if (others.length > 0)
    throw new Error(
      `examples: must be in one CSV file, but there are ${nameOf(table.path)} and ${nameOf(others[0].path)}`,
    )
  return table ? readTexts(nameOf(table.path), await table.file.text()) : readPictures(files)
}

interface Labelled {
  readonly content: Blob | string
  readonly name: string
  readonly label: string
}

function readPictures(files: readonly PathFile[]): Examples {
  const pictures = files.filter(({ path }) => pictureNames.test(path))
  const others = files.filter((file) => !pictures.includes(file))
  if (pictures.length === 0)
    throw new Error(
      `examples: must be folders of pictures (PNG, JPEG, WebP, GIF, BMP, AVIF), one for each class, or a CSV file of texts, but are ${others.length === 0 ? 'no files' : listed(others.map(({ path }) => nameOf(path)))}`,
    )
  const loose = pictures.find(({ path }) => folderOf(path) === '')
  if (loose)
    throw new Error(
      `examples: each picture must lie in a folder named as its class, but ${loose.path} lies in none`,
    )
  const problems =
    others.length === 0 ? [] : [`${listed(others.map(({ path }) => path))}: left out, no pictures`]
  return checked(
    'image',
    pictures.map(({ path, file }) => ({
      content: file,
      name: path,
      label: nameOf(folderOf(path)),
    })),
    problems,
  )
}

function readTexts(name: string, content: string): Examples {
  const rows = parseTable(name, content)
  const [header] = rows
  if (!header) throw new Error(`${name}: must have a line of column names, but is empty`)
  const column = (what: string, names: readonly string[]): number => {
    const index = header.findIndex((title) => names.includes(title.trim().toLowerCase()))
    if (index >= 0) return index
    throw new Error(
      `${name}: must have a column of ${what}, named ${listed(names, 'or')}, but has ${listed(header)}`,
    )
  }
  const [text, label] = [column('texts', textColumns), column('labels', labelColumns)]
  const empty: number[] = []
  const examples = rows.slice(1).flatMap((row, i): Labelled[] => {
    const [content, value] = [row[text]?.trim() ?? '', row[label]?.trim() ?? '']
    if (content !== '' && value !== '') return [{ content, label: value, name: `row ${i + 2}` }]
    empty.push(i + 2)
    return []
  })
  const rowsOf = (list: readonly number[]): string => listed(list.map(String))
  const problems = empty.length === 0 ? [] : [`rows ${rowsOf(empty)}: left out, no text or label`]
  return checked('text', examples, problems)
}

function parseTable(name: string, content: string): readonly (readonly string[])[] {
  // Spreadsheets of some languages write semicolons.
  const [header] = content.split('\n', 1)
  const count = (character: string): number => header.split(character).length
  const [delimiter] = [',', ';', '\t'].toSorted((a, b) => count(b) - count(a))
  try {
    return parse(content, {
      bom: true,
      delimiter,
      skip_empty_lines: true,
      relax_column_count: true,
    })
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new Error(`${name}: cannot be read as CSV: ${cause.message}`, { cause })
  }
}

function checked(task: Task, labelled: readonly Labelled[], problems: readonly string[]): Examples {
  const labels = [...new Set(labelled.map(({ label }) => label))].toSorted()
  if (labels.length < 2)
    throw new Error(
      `examples: must be of at least two classes, but are ${labels.length === 0 ? 'none' : `all of ${JSON.stringify(labels[0])}`}`,
    )
  const examples = labelled.map(({ content, name, label }) => ({
    ...{ content, name, label: labels.indexOf(label) },
  }))
  return { task, labels, examples, problems }
}

/** Such as `a, b or c`, or `a, b, c and 5 more`. */
export function listed(items: readonly string[], last: 'and' | 'or' = 'and'): string {
  const shown = items.length > 8 ? [...items.slice(0, 6), `${items.length - 6} more`] : items
  return shown.length < 2
    ? shown.join()
    : `${shown.slice(0, -1).join(', ')} ${last} ${shown[shown.length - 1]}`
}

/**
 * Examples to train on, and others to evaluate on: a fifth of each class, if it has two or more.
 *
 * @param order - the indices of the examples in random order.
 */
export function split<E extends { readonly label: number }>(
  examples: readonly E[],
  order: readonly number[],
): { readonly trained: readonly E[]; readonly heldOut: readonly E[] } {
  const shuffled = order.map((i) => examples[i])
  const [trained, heldOut]: [E[], E[]] = [[], []]
  for (const label of new Set(shuffled.map((example) => example.label))) {
    const members = shuffled.filter((example) => example.label === label)
    const count = members.length < 2 ? 0 : Math.max(1, Math.round(members.length / 5))
    heldOut.push(...members.slice(0, count))
    trained.push(...members.slice(count))
  }
  return { trained, heldOut }
}
