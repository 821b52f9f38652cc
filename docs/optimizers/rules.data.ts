import { paperOf } from '../.vitepress/rule-comments.ts'
import { documentedRules } from '../.vitepress/rules.ts'

interface Row {
  readonly className: string
  readonly link: string
  /** The first sentence of its comment. */
  readonly sentence: string
  /** The number of its paper on arXiv, if its comment cites one. */
  readonly paper: string | undefined
  /** When to use it. */
  readonly when: string
}

declare const data: readonly Row[]

export { data }

export default {
  load: (): readonly Row[] =>
    documentedRules().map(({ rule, className, description, sources, when }) => ({
      className,
      when: when.replace(/`|\[(.*?)\]\(.*?\)/g, '$1'),
      link: `./${rule.name.toLowerCase()}.html`,
      sentence: /^[\s\S]*?\.(?=\s|$)/.exec(description)?.[0].replace(/\s+/g, ' ') ?? description,
      paper: paperOf({ sources }),
    })),
}
