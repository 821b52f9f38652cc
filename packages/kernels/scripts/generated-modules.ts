import { fileURLToPath } from 'node:url'
import { allRules, type Kernel, trace, transformKernels, updateKernels } from '@diffgrad/core'
import { buildSync } from 'esbuild'
import { fingerprint } from '../src/generated-kernels.ts'
import { javascript } from '../src/printer.ts'
import {
  arraysClasses,
  arraysRules,
  kernelsOwner,
  tableName,
  tfjsClasses,
} from './optimizer-classes.ts'

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

/** Returns the source of the module that holds the worker's code as a string. */
function workerModule(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../src/threads/worker.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  })
  const [{ text }] = outputFiles
  return `// Written by scripts/generate.ts.
export const workerSource: string = ${JSON.stringify(text.trim())}
`
}

/**
 * Returns the path below `packages` and the source of every generated module: the worker, the kernels of
 * transforms, those of each rule, and the optimizer classes of the adapters. Rules with the same equations,
 * such as Adam and AdamW, share their kernels.
 */
export function generatedModules(): readonly (readonly [path: string, source: string])[] {
  const tables = allRules
    .filter((rule) => kernelsOwner(rule) === rule)
    .map((rule) => ({
      file: `${rule.name.toLowerCase()}.ts`,
      source: moduleSource(tableName(rule), rule.name, updateKernels(rule)),
      name: tableName(rule),
    }))
  const transforms = {
    file: 'transforms.ts',
    source: moduleSource('generatedTransforms', 'the transforms around a rule', transformKernels),
    name: 'generatedTransforms',
  }
  const all = [...tables, transforms]
  const index = all
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ file, name }) => `export { ${name} } from './${file}'`)
  return [
    ['kernels/src/generated/worker.ts', workerModule()],
    ...all.map(({ file, source }) => [`kernels/src/generated/${file}`, source] as const),
    ['kernels/src/generated/index.ts', `// Written by scripts/generate.ts.\n${index.join('\n')}\n`],
    ['arrays/src/generated/optimizers.ts', arraysClasses()],
    ['arrays/src/generated/rules.ts', arraysRules()],
    ['tfjs/src/generated/optimizers.ts', tfjsClasses()],
  ]
}
