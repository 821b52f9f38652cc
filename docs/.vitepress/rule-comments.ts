import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { read, root } from './repository.ts'

/** What the source file of a rule says about it. */
export interface RuleComment {
  /** The file, relative to the repository. */
  readonly file: string
  /** The name that `@diffgrad/core` exports. */
  readonly constant: string
  /** The comment, as Markdown: a sentence, then equations. */
  readonly description: string
  /** The papers and code that it cites. */
  readonly sources: readonly string[]
}

/** The folder of the rules, relative to the repository. */
export const rulesFolder = 'packages/core/src/rules'

const definesRules = (file: string): boolean => read(file).includes('defineRule({')

/** The comments of all exported constants of the files that define rules, by their names in lower case. Read from the sources, without their modules. */
export function ruleComments(): ReadonlyMap<string, RuleComment> {
  const files = readdirSync(resolve(root, rulesFolder)).map((name) => `${rulesFolder}/${name}`)
  return new Map(
    files.filter(definesRules).flatMap((file) =>
      [...read(file).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+)\b/g)].map(
        ([, comment = '', constant = '']) => {
          const text = comment.replace(/^ *\* ?/gm, '').trim()
          const [description = '', ...sources] = text.split(/^@see /m)
          return [
            constant.toLowerCase(),
            {
              file,
              constant,
              description: description.trim(),
              sources: sources.map((source) => source.replace(/\s+/g, ' ').trim()),
            },
          ] as const
        },
      ),
    ),
  )
}

/** The number of the first paper on arXiv that a comment cites. */
export const paperOf = ({ sources }: Pick<RuleComment, 'sources'>): string | undefined =>
  /arXiv:(\d+\.\d+)/.exec(sources.join(' '))?.[1]
