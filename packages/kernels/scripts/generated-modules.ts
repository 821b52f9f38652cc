import { fileURLToPath } from 'node:url'
import {
  type Kernel,
  ruleKernels,
  surroundingKernels,
  trace,
  type UpdateRule,
} from '@diffgrad/core'
import { rules } from '@diffgrad/testing/conformance'
import { buildSync } from 'esbuild'
import { fingerprint } from '../src/generated-kernels.ts'
import { javascript } from '../src/printer.ts'

/** All values of the options that choose between equations. */
const choices: Readonly<Record<string, readonly (number | boolean | string)[]>> = {
  momentum: [0, 0.9],
  nesterov: [false, true],
  amsgrad: [false, true],
  version: [0, 1, 2],
  aliased: [false, true],
  degenerateToSgd: [false, true],
  averageStep: [false, true],
}

/** Steps at which a rule may have other equations: the first, one during and one after warm-up. */
const steps = [1, 2, 1000]

/** Returns the update kernels of a rule for all options and steps. */
function updateKernels(rule: UpdateRule): readonly Kernel[] {
  let settings: UpdateRule['defaults'][] = [rule.defaults]
  for (const [option, values] of Object.entries(choices)) {
    if (!(option in rule.defaults)) continue
    settings = settings.flatMap((chosen) => values.map((value) => ({ ...chosen, [option]: value })))
  }
  return settings.flatMap((chosen) =>
    steps.flatMap((t) =>
      (['none', 'l2', 'decoupled'] as const).map((decay) => {
        const form = rule.form?.(chosen, t) ?? {}
        return ruleKernels(rule, chosen, { form, decay }).update
      }),
    ),
  )
}

/** Prints a module of generated kernels, each different one once. */
function moduleSource(name: string, owner: string, kernels: readonly Kernel[]): string {
  const graphs = new Map(kernels.map(trace).map((graph) => [fingerprint(graph), graph]))
  const entries = [...graphs].map(([key, graph]) => `  '${key}': ${javascript(graph)},`)
  return `// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

/** The kernels of ${owner}. */
export const ${name}: GeneratedKernels = {
${entries.join('\n')}
}
`
}

/** Returns the path and source of the module that holds the worker's code as a string. */
function workerModule(): readonly [path: string, source: string] {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../src/threads/worker.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  })
  const [{ text }] = outputFiles
  return [
    'worker.ts',
    `// Written by scripts/generate.ts.
export const workerSource: string = ${JSON.stringify(text.trim())}
`,
  ]
}

const classNameOf = ({ name }: UpdateRule): string => name[0].toUpperCase() + name.slice(1)

/**
 * Returns the path in src/generated and the source of every generated module: the worker, the kernels of
 * transforms, and those of each rule. Rules with the same equations, such as Adam and AdamW, share one.
 */
export function generatedModules(): readonly (readonly [path: string, source: string])[] {
  const distinct = new Map(rules.toReversed().map((rule) => [rule.update, rule]))
  return [
    workerModule(),
    [
      'transforms.ts',
      moduleSource('generatedTransforms', 'the transforms around a rule', surroundingKernels),
    ],
    ...Array.from(distinct.values(), (rule): readonly [string, string] => [
      `${rule.name.toLowerCase()}.ts`,
      moduleSource(`generated${classNameOf(rule)}`, rule.name, updateKernels(rule)),
    ]),
  ]
}
