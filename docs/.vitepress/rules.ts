import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { allRules, classNameOf, type UpdateRule } from '@diffgrad/core'
import { read, root } from './repository.ts'

/** A rule, and what its source file says about it. */
export interface DocumentedRule {
  readonly rule: UpdateRule
  readonly className: string
  /** The name that `@diffgrad/core` exports. */
  readonly constant: string
  /** The file, relative to the repository. */
  readonly file: string
  /** Its comment, as Markdown: a sentence, then equations. */
  readonly description: string
  /** The papers and code that it cites. */
  readonly sources: readonly string[]
  /** What implementations get wrong, and when to use it: columns of the table of docs/rule.md. */
  readonly trap: string
  readonly when: string
}

const folder = 'packages/core/src/rules'

/** The comments of all exported constants, by their names in lower case. */
function comments(): ReadonlyMap<string, { file: string; comment: string; constant: string }> {
  const files = readdirSync(resolve(root, folder)).map((name) => `${folder}/${name}`)
  return new Map(
    files.flatMap((file) =>
      [...read(file).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+)\b/g)].map(
        ([, comment, constant]) => [constant.toLowerCase(), { file, comment, constant }] as const,
      ),
    ),
  )
}

/** The rows of the table of docs/rule.md that has one for each rule, by the names of the rules. */
function tableRows(): ReadonlyMap<string, { readonly trap: string; readonly when: string }> {
  const [, table = ''] = read('docs/rule.md').split('\n## Which rule\n')
  const rows = [...table.split('\n## ')[0].matchAll(/^\| (.*) \|$/gm)].map(([, row]) =>
    row.split(' | '),
  )
  return new Map(
    rows.flatMap((cells) =>
      cells[0].split(', ').map((name) => [name, { trap: cells[4], when: cells[5] }] as const),
    ),
  )
}

/** Every rule, in the order of `allRules`. @throws Error if one has no comment, or no row in docs/rule.md. */
export function documentedRules(): readonly DocumentedRule[] {
  const [found, rows] = [comments(), tableRows()]
  return allRules.map((rule) => {
    const one = found.get(rule.name.toLowerCase())
    if (!one) throw new Error(`${folder}: no comment precedes the constant of ${rule.name}`)
    const { file, comment, constant } = one
    const row = rows.get(rule.name)
    if (!row) throw new Error(`docs/rule.md: the table "Which rule" has no row of ${rule.name}`)
    const text = comment.replace(/^ *\* ?/gm, '').trim()
    const [description, ...sources] = text.split(/^@see /m)
    return {
      rule,
      className: classNameOf(rule),
      ...row,
      constant,
      file,
      description: description.trim(),
      sources: sources.map((source) => source.replace(/\s+/g, ' ').trim()),
    }
  })
}
