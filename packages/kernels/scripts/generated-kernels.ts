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
import { fingerprint } from '../src/generated-kernels.ts'
import { javascript } from '../src/javascript.ts'

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

/** Prints a module of generated kernels, each different one once. */
function moduleSource(name: string, kernels: readonly Kernel[]): string {
  const graphs = new Map(kernels.map(trace).map((graph) => [fingerprint(graph), graph]))
  const entries = [...graphs].map(([key, graph]) => `  '${key}': ${javascript(graph)},`)
  return `// Written by scripts/generate.ts.
import type { GeneratedKernels } from '../generated-kernels.ts'

export const ${name}: GeneratedKernels = {
${entries.join('\n')}
}
`
}

/**
 * Returns the path and source of every module of generated kernels. AdamW and Ranger have the equations
 * of Adam and RAdam.
 */
export const generatedModules = (): readonly (readonly [path: string, source: string])[] => [
  ['transforms.ts', moduleSource('generatedTransforms', surroundingKernels)],
  ['sgd.ts', moduleSource('generatedSgd', updateKernels(sgd))],
  ['adam.ts', moduleSource('generatedAdam', updateKernels(adam))],
  ['radam.ts', moduleSource('generatedRAdam', updateKernels(radam))],
  ['adamod.ts', moduleSource('generatedAdaMod', updateKernels(adaMod))],
  ['diffgrad.ts', moduleSource('generatedDiffGrad', updateKernels(diffGrad))],
  ['diffrgrad.ts', moduleSource('generatedDiffRGrad', updateKernels(diffRGrad))],
  ['diffmod.ts', moduleSource('generatedDiffMod', updateKernels(diffMod))],
]
