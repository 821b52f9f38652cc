import {
  adaMod,
  adam,
  diffGrad,
  diffMod,
  diffRGrad,
  type Kernel,
  radam,
  sgd,
  trace,
  transformKernels,
  updateKernels,
} from '@diffgrad/core'
import { fingerprint } from '../src/fingerprint.ts'
import { loopSource } from './javascript.ts'

/** The source of a module with the loops of some kernels, each different one once. */
function moduleSource(name: string, kernels: readonly Kernel[]): string {
  const graphs = new Map(kernels.map(trace).map((graph) => [fingerprint(graph), graph]))
  const entries = [...graphs].map(([key, graph]) => `  '${key}': ${loopSource(graph)},`)
  return `// Written by scripts/generate.ts.
import type { LoopTable } from '../loop.ts'

export const ${name}Loops: LoopTable = {
${entries.join('\n')}
}
`
}

/** The file name and source of every generated module. */
export const generatedFiles = (): readonly (readonly [path: string, source: string])[] => [
  ['surroundings.ts', moduleSource('surroundings', transformKernels)],
  ['sgd.ts', moduleSource('sgd', updateKernels(sgd))],
  ['adam.ts', moduleSource('adam', updateKernels(adam))],
  ['radam.ts', moduleSource('radam', updateKernels(radam))],
  ['adamod.ts', moduleSource('adaMod', updateKernels(adaMod))],
  ['diffgrad.ts', moduleSource('diffGrad', updateKernels(diffGrad))],
  ['diffrgrad.ts', moduleSource('diffRGrad', updateKernels(diffRGrad))],
  ['diffmod.ts', moduleSource('diffMod', updateKernels(diffMod))],
]
