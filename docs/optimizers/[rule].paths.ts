import { type DocumentedRule, documentedRules } from '../.vitepress/rules.ts'

/** A race of the optimizer beside Adam, or of Adam beside diffGrad, in the playground. */
function race({ rule }: DocumentedRule): string {
  const names = [...new Set(['adam', rule.name.toLowerCase(), 'diffgrad'])].slice(0, 2)
  const racers = names.map((name) => `o=${name},learningRate:${name === 'sgd' ? 0.001 : 0.05}`)
  return `/playground/index.html#race?on=rosenbrock&steps=600&${racers.join('&')}`
}

const defaults = ({ rule }: DocumentedRule): string =>
  Object.entries(rule.defaults)
    .map(([name, value]) => `| \`${name}\` | ${value} |`)
    .join('\n')

/** Text of docs/rule.md, whose links are relative to that file. */
const fromRulePage = (text: string): string => text.replace(/\]\((?![a-z]+:)/g, '](../')

const page = (documented: DocumentedRule): string => `${documented.description}

${documented.sources.map((source) => `Source: ${source}\n`).join('\n')}
**When:** ${fromRulePage(documented.when)}

**What implementations get wrong:** ${fromRulePage(documented.trap)}

## Use

\`\`\`js
import { ${documented.className} } from '@diffgrad/arrays'

const optimizer = new ${documented.className}({ weights }, { learningRate: ${documented.rule.defaults.learningRate} })
\`\`\`

\`@diffgrad/tfjs\` exports a class of the same name; a trainer of ONNX models takes \`optimizer: { rule: ${documented.constant} }\`
with \`import { ${documented.constant} } from '@diffgrad/core'\`.

| option | default |
|---|---|
${defaults(documented)}

Transforms, schedules and groups are [the same for all](../guides/groups-and-clipping.md). Notation, and where published
implementations differ: [the rules](../rule.md).

## A race

On Rosenbrock's valley beside Adam, both at a learning rate of 0.05, SGD at 0.001. It can be changed below.
`

export default {
  paths: () =>
    documentedRules().map((documented) => ({
      params: {
        rule: documented.rule.name.toLowerCase(),
        className: documented.className,
        race: race(documented),
      },
      content: page(documented),
    })),
}
