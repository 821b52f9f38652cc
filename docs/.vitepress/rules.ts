import { allRules, classNameOf, type UpdateRule } from '@diffgrad/core'
import { read } from './repository.ts'
import { type RuleComment, ruleComments, rulesFolder } from './rule-comments.ts'

/** A rule, and what its source file and docs/rule.md say about it. */
export interface DocumentedRule extends RuleComment {
  readonly rule: UpdateRule
  readonly className: string
  /** What implementations get wrong, and when to use it: columns of the table of docs/rule.md. */
  readonly trap: string
  readonly when: string
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
  const [found, rows] = [ruleComments(), tableRows()]
  return allRules.map((rule) => {
    const comment = found.get(rule.name.toLowerCase())
    if (!comment)
      throw new Error(`${rulesFolder}: no comment precedes the constant of ${rule.name}`)
    const row = rows.get(rule.name)
    if (!row) throw new Error(`docs/rule.md: the table "Which rule" has no row of ${rule.name}`)
    return { ...comment, ...row, rule, className: classNameOf(rule) }
  })
}
