import { fileURLToPath } from 'node:url'
import {
  allRules,
  classNameOf,
  type Kernel,
  trace,
  transformKernels,
  updateKernels,
} from '@diffgrad/core'
import { buildSync } from 'esbuild'
import { fingerprint } from '../src/generated-kernels.ts'
import { javascript } from '../src/printer.ts'

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

/**
 * Returns the path in src/generated and the source of every generated module: the worker, the kernels of
 * transforms, and those of each rule. Rules with the same equations, such as Adam and AdamW, share one.
 */
export function generatedModules(): readonly (readonly [path: string, source: string])[] {
  const distinct = new Map(allRules.toReversed().map((rule) => [rule.update, rule]))
  return [
    workerModule(),
    [
      'transforms.ts',
      moduleSource('generatedTransforms', 'the transforms around a rule', transformKernels),
    ],
    ...Array.from(distinct.values(), (rule): readonly [string, string] => [
      `${rule.name.toLowerCase()}.ts`,
      moduleSource(`generated${classNameOf(rule)}`, rule.name, updateKernels(rule)),
    ]),
  ]
}
