import { readdirSync, readFileSync } from 'node:fs'
import * as core from '@diffgrad/core'
import { allRules, classNameOf, type UpdateRule } from '@diffgrad/core'

// Prints the modules with the optimizer classes of the adapters, from `allRules` and the doc comments of the
// rules.

/** The rule whose kernels a rule has: AdamW has those of Adam. */
export const kernelsOwner = (rule: UpdateRule): UpdateRule =>
  allRules.find(({ update }) => update === rule.update) ?? rule

/** The name of the table of generated kernels of a rule. */
export const tableName = (rule: UpdateRule): string => `generated${classNameOf(kernelsOwner(rule))}`

/** What the class of a rule is printed from. */
interface RuleText {
  readonly className: string
  /** The name by which core exports the rule, and that of the type of its hyperparameters. */
  readonly exported: string
  readonly hyperparameters: string
  /** The first sentence of the doc comment of the rule. */
  readonly summary: string
  readonly table: string
  /** The names of the intermediates, as a type. */
  readonly intermediates: string
}

const ruleSources: string = readdirSync(new URL('../../core/src/rules', import.meta.url))
  .map((file) => readFileSync(new URL(`../../core/src/rules/${file}`, import.meta.url), 'utf8'))
  .join('\n')

const texts: readonly RuleText[] = allRules.map((rule) => {
  const exported = exportedName(rule)
  return {
    className: classNameOf(rule),
    exported,
    hyperparameters: hyperparametersName(rule),
    summary: summaryOf(exported),
    table: tableName(rule),
    intermediates: rule.intermediates?.map((name) => `'${name}'`).join(' | ') ?? 'never',
  }
})

function exportedName(rule: UpdateRule): string {
  const [name] = Object.entries(core).find(([, exported]) => exported === rule) ?? []
  if (name === undefined) throw new RangeError(`core does not export the rule ${rule.name}`)
  return name
}

/** Rules with the same equations have the same hyperparameters, which are called after the first of them. */
function hyperparametersName(rule: UpdateRule): string {
  const pattern = new RegExp(`export interface (${kernelsOwner(rule).name}Hyperparameters)\\b`, 'i')
  const [, name] = pattern.exec(ruleSources) ?? []
  if (name === undefined) throw new RangeError(`there are no hyperparameters of ${rule.name}`)
  return name
}

function summaryOf(exported: string): string {
  const [before] = ruleSources.split(`\nexport const ${exported}:`)
  const comment = before.slice(before.lastIndexOf('/**') + 3).replace(/\s*\n \*\/?\s*/g, ' ')
  return `${comment.split(/\.(?: |$)/)[0].trim()}.`
}

const header = '// Written by scripts/generate.ts of @diffgrad/kernels.'

/** Names, each once, in the formatter's order: letter by letter, capitals before small ones. */
function sorted(names: readonly string[]): readonly string[] {
  const key = (name: string): string =>
    Array.from(name.replace('type ', ''), (c) => c.toLowerCase() + Number(c > 'Z')).join('')
  const byKey = new Map(names.map((name) => [key(name), name]))
  return [...byKey.keys()].toSorted().flatMap((one) => byKey.get(one) ?? [])
}

/** The import of rules and hyperparameters from core, and of their kernels. */
const imports = (): string => {
  const rules = texts.map(({ exported }) => exported)
  const types = texts.map(({ hyperparameters }) => `type ${hyperparameters}`)
  const tables = texts.map(({ table }) => table)
  return `import { ${sorted([...types, ...rules])} } from '@diffgrad/core'
import { ${sorted(tables)} } from '@diffgrad/kernels'`
}

/** The module that exports the rules and their hyperparameters, for users of `ArraysOptimizer`. */
export function arraysRules(): string {
  const types = texts.map(({ hyperparameters }) => `type ${hyperparameters}`)
  const names = sorted([...types, ...texts.map(({ exported }) => exported)])
  return `${header}
export { ${names} } from '@diffgrad/core'
`
}

/** The module with the classes of @diffgrad/arrays. */
export function arraysClasses(): string {
  const classes = texts.map(
    ({ className, exported, hyperparameters, summary, table, intermediates }) => `
/** ${summary} See \`${exported}\` in @diffgrad/core. */
export class ${className}<Name extends string = string> extends ArraysOptimizer<
  ${hyperparameters}, Name, ${intermediates}
> {
  constructor(
    parameters: ParameterSet<Name>,
    options?: ArraysOptions<${hyperparameters}, Name>,
  ) {
    super(${exported}, parameters, options, ${table})
  }
}
`,
  )
  return `${header}
${imports()}
import { ArraysOptimizer, type ArraysOptions, type ParameterSet } from '../optimizer.ts'
${classes.join('')}`
}

/** The module with the classes of @diffgrad/tfjs, whose names in saved models are not those of \`tf.train\`. */
export function tfjsClasses(): string {
  const classes = texts.map(({ className, exported, hyperparameters, summary, table }) => {
    const saved = /diff/i.test(className) ? className : `Diffgrad${className}`
    return `
/** ${summary} See \`${exported}\` in @diffgrad/core. */
export const ${className}: OptimizerClass<${hyperparameters}> = /* @__PURE__ */ defineOptimizer(
  '${saved}',
  ${exported},
  ${table},
)
export type ${className} = RuleOptimizer<${hyperparameters}> & Settings<${hyperparameters}>
`
  })
  return `${header}
${imports()}
import { defineOptimizer, type OptimizerClass } from '../define-optimizer.ts'
import type { RuleOptimizer } from '../optimizer.ts'
import type { Settings } from '../settings.ts'
${classes.join('')}`
}
