import {
  adaMod,
  adam,
  type CommonOptions,
  diffGrad,
  diffMod,
  diffRGrad,
  type Kernel,
  radam,
  ruleKernels,
  type Settings,
  sgd,
  surroundingKernels,
  trace,
  type UpdateRule,
} from '@diffgrad/core'
import { fingerprint } from '../src/fingerprint.ts'
import { loopSource } from './javascript.ts'

/** All values of the options that decide the shape of an equation. */
const choices: Readonly<Record<string, readonly (number | boolean | string)[]>> = {
  momentum: [0, 0.9],
  nesterov: [false, true],
  amsgrad: [false, true],
  version: [0, 1, 2],
  aliased: [false, true],
  degenerateToSgd: [false, true],
  averageStep: [false, true],
}

/** Steps at which a rule may have another shape: the first, one in a warm-up, one after it. */
const steps = [1, 2, 1000]

/** Every way in which a rule can move a parameter. */
function updateKernels<O extends CommonOptions>(rule: UpdateRule<O>): readonly Kernel[] {
  let settings: Settings<O>[] = [rule.defaults as Settings<O>] // Options without a schedule are settings.
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
  ['surroundings.ts', moduleSource('surroundings', surroundingKernels)],
  ['sgd.ts', moduleSource('sgd', updateKernels(sgd))],
  ['adam.ts', moduleSource('adam', updateKernels(adam))],
  ['radam.ts', moduleSource('radam', updateKernels(radam))],
  ['adamod.ts', moduleSource('adaMod', updateKernels(adaMod))],
  ['diffgrad.ts', moduleSource('diffGrad', updateKernels(diffGrad))],
  ['diffrgrad.ts', moduleSource('diffRGrad', updateKernels(diffRGrad))],
  ['diffmod.ts', moduleSource('diffMod', updateKernels(diffMod))],
]
