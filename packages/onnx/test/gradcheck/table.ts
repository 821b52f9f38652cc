import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { onnxRuntimeProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import { shapeRules } from '../../src/analysis/shape-inference.ts'
import { decompositions } from '../../src/autodiff/decompositions.ts'
import { gradientRules, undifferentiable } from '../../src/autodiff/gradients.ts'
import { cases } from './cases.ts'
import { tolerance as exact, worstError } from './check.ts'
import { caseError, networkError, networks } from './providers.ts'

// Prints the worst relative error of every operator's gradient, and fails if one is too large. The
// gradients of the CPU are compared with finite differences; those of another provider (`--provider
// webgpu`), for operators and whole networks, with the CPU.
const { provider } = parseArgs({ options: { provider: { type: 'string' } } }).values
const tolerance = provider === undefined ? exact : 1e-3
const rows = new Map<string, { cases: number; worst: number; about: string }>()

function record(name: string, about: string, error: number): void {
  const row = rows.get(name) ?? { cases: 0, worst: 0, about }
  rows.set(name, row)
  row.cases++
  if (!(error <= row.worst) && !Number.isNaN(row.worst)) Object.assign(row, { worst: error, about })
}

/** The error of a case that a provider cannot run is infinite. */
async function orInfinity(about: string, error: Promise<number>): Promise<number> {
  return error.catch((cause) => {
    console.error(`${about}: ${cause instanceof Error ? cause.message : cause}`)
    return Number.POSITIVE_INFINITY
  })
}

async function checkRules(): Promise<void> {
  for (const one of cases)
    for (const seed of [1, 2, 3, 4]) {
      const error = await worstError(one, seed).catch((cause) => {
        throw new Error(`${one.operator}, ${one.about}, seed ${seed}`, { cause })
      })
      record(one.operator, one.about, error)
    }
}

async function checkProvider(provider: string): Promise<void> {
  for (const one of cases) {
    const about = `${one.operator}, ${one.about}`
    record(one.operator, one.about, await orInfinity(about, caseError(one, 1, provider)))
  }
  for (const one of networks)
    record(one.about, 'whole', await orInfinity(one.about, networkError(one, provider)))
}

/** The operators with a shape rule and no gradient rule, by the reason. */
function readOnly(): ReadonlyMap<string, readonly string[]> {
  const reasons = new Map<string, string[]>()
  for (const name of [...shapeRules.keys()].toSorted()) {
    if (gradientRules.has(name) || decompositions.has(name)) continue
    const reason =
      undifferentiable.get(name) ?? 'no output depends on floating-point inputs smoothly'
    reasons.set(reason, [...(reasons.get(reason) ?? []), name])
  }
  return reasons
}

function print(): void {
  console.log(`${'checked'.padEnd(24)}cases  worst relative error`)
  for (const [name, { cases: n, worst, about }] of rows) {
    const verdict = worst <= tolerance ? '' : '  TOO LARGE'
    const columns = [name.padEnd(24) + String(n).padStart(5), worst.toExponential(1) + verdict]
    console.log([...columns, about].join('  '))
  }
  const failed = [...rows.values()].filter(({ worst }) => !(worst <= tolerance)).length
  if (provider === undefined)
    for (const [reason, names] of readOnly())
      console.log(`read only, as ${reason}: ${names.join(', ')}`)
  console.log(`${rows.size} checked, ${failed} beyond ${tolerance}`)
  process.exitCode = failed > 0 ? 1 : 0
}

// The Vulkan driver is selected by the environment at the start of a process.
const vulkan =
  provider === 'webgpu' && !process.env.VK_ICD_FILENAMES
    ? vulkanEnvironment(onnxRuntimeProbe(new URL('.', import.meta.url)))
    : { environment: {} }
if (vulkan.missing !== undefined) throw new Error(vulkan.missing)
if (Object.keys(vulkan.environment).length > 0) {
  const args = [...process.execArgv, ...process.argv.slice(1)]
  const env = { ...process.env, ...vulkan.environment }
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1
} else {
  await (provider === undefined ? checkRules() : checkProvider(provider))
  print()
}
