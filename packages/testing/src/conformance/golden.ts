import { adam, allRules, diffGrad, type UpdateRule } from '@diffgrad/core'
import { classics, paper } from '@diffgrad/testing/landscapes'
import { expectClose } from '../tolerance.ts'
import type { BackendUnderTest, Law, OptimizerSpec, UntypedOptions } from './backend-under-test.ts'
import functions from './golden/functions.json' with { type: 'json' }
import own from './golden/rules.json' with { type: 'json' }
import trajectories from './golden/trajectories.json' with { type: 'json' }
import { referenceBackend } from './reference.ts'

/** How far a trajectory may be from the golden one, relative to max(|θ|, 1). */
export const goldenTolerance: Readonly<Record<OptimizerSpec['dtype'], number>> = {
  float64: 1e-12,
  float32: 5e-5,
}

type Example = (typeof functions.cases)[number]

/** One rule on one recorded gradient sequence. */
interface RecordedCase {
  readonly source: string
  readonly rule: string
  readonly dtype: string
  readonly options: UntypedOptions
  readonly gradients: string
  /** The options of a second group, with the matrix. */
  readonly matrix?: UntypedOptions
  readonly trajectory: readonly (readonly (number | null)[])[]
  /** The evaluation points, for a rule that has one. */
  readonly averages?: readonly (readonly (number | null)[])[]
}

/** The result of one golden case on a backend. */
export interface GoldenResult {
  readonly rule: string
  /** The independent implementation and the gradients or function it ran on. */
  readonly origin: string
  readonly dtype: OptimizerSpec['dtype']
  /** The largest |θ − golden| / max(|golden|, 1) of all steps. */
  readonly error: number
  /** How many points were compared, and how many were left out because they are chaotic. */
  readonly points: number
  readonly chaotic: number
}

const findRule = (name: string): UpdateRule => {
  const rule = allRules.find((candidate) => candidate.name === name)
  if (!rule) throw new RangeError(`golden: there is no rule ${name}`)
  return rule
}

/** Runs every recorded gradient sequence in the data types of the backend. */
export async function runTrajectories(backend: BackendUnderTest): Promise<readonly GoldenResult[]> {
  const results: GoldenResult[] = []
  const { start, steps, gradients } = trajectories
  const cases: readonly RecordedCase[] = [...trajectories.cases, ...own.cases]
  for (const {
    source,
    rule,
    dtype: type,
    options,
    matrix,
    gradients: name,
    ...expected
  } of cases) {
    const dtype = type as GoldenResult['dtype'] // JSON knows no unions.
    if (!backend.dtypes.includes(dtype) || !allRules.includes(findRule(rule))) continue
    const groups = matrix ? [{ parameters: ['matrix'], ...matrix }] : []
    const run = backend.create(findRule(rule), {
      dtype,
      parameters: {
        vector: { values: start.vector, shape: [7] },
        matrix: { values: start.matrix, shape: [3, 2] },
      },
      options: { ...options, groups },
    })
    const sequence = gradients[name as keyof typeof gradients]
    let error = 0
    for (const [t, row] of sequence.entries()) {
      await run.step({ vector: row.slice(0, 7), matrix: row.slice(7) })
      const k = steps.indexOf(t + 1)
      if (k < 0) continue
      const { vector, matrix } = await run.parameters()
      error = Math.max(error, distance([...vector, ...matrix], expected.trajectory[k]))
      if (!expected.averages) continue
      run.optimizer.swapAverage()
      const average = await run.parameters()
      error = Math.max(
        error,
        distance([...average.vector, ...average.matrix], expected.averages[k]),
      )
      run.optimizer.swapAverage()
    }
    const origin = `${source} on ${name}`
    results.push({ rule, origin, dtype, error, points: steps.length, chaotic: 0 })
  }
  return results
}

/** Minimizes every function of one or two variables; each gradient depends on the previous step. */
export async function runFunctions(backend: BackendUnderTest): Promise<readonly GoldenResult[]> {
  if (!backend.dtypes.includes('float64')) return []
  const results: GoldenResult[] = []
  for (const example of functions.cases) {
    const chaotic: readonly number[] = example.chaotic ?? []
    const points = await descend(backend, example)
    const errors = points.map((point, i) =>
      chaotic.includes(example.steps[i]) ? undefined : distance(point, example.trajectory[i]),
    )
    const comparable = errors.filter((error) => error !== undefined)
    if (comparable.length === 0)
      throw new RangeError(`golden: ${example.source} has no comparable point`)
    results.push({
      rule: example.rule,
      origin: `${example.source} on ${example.function}`,
      dtype: 'float64',
      error: Math.max(...comparable),
      points: comparable.length,
      chaotic: errors.length - comparable.length,
    })
  }
  return results
}

/**
 * Correct programs round differently. A point that one or two rounding errors in each gradient move by
 * more than this is chaotic: it cannot be compared to the tolerance.
 */
const chaoticAbove = 1e-13

/** The recorded chaotic steps of each descent, and those that the reference finds. */
export function chaoticSteps(): Promise<
  readonly { readonly recorded: readonly number[]; readonly found: readonly number[] }[]
> {
  return Promise.all(
    functions.cases.map(async (example) => {
      const exact = await descend(referenceBackend, example)
      const perturbed = await Promise.all(
        [1, 2, 3].map((seed) => descend(referenceBackend, example, seed)),
      )
      const found = example.steps.filter((_, i) =>
        perturbed.some((points) => distance(points[i], exact[i]) > chaoticAbove),
      )
      return { recorded: example.chaotic ?? [], found }
    }),
  )
}

/** The gradient of a function. Those of Rastrigin's function were recorded clipped to a norm of 1. */
function gradientAt(name: string, point: readonly number[]): readonly number[] {
  const landscape = [...paper, ...classics].find((candidate) => candidate.name === name)
  if (!landscape) throw new RangeError(`golden: there is no function ${name}`)
  const gradient = landscape.gradient(point)
  const factor = name === 'rastrigin' ? Math.min(1 / Math.hypot(...gradient), 1) : 1
  return gradient.map((g) => factor * g)
}

/** The recorded points of a descent; with a seed each gradient is off by up to two rounding errors. */
async function descend(
  backend: BackendUnderTest,
  { function: name, rule, options, start, steps }: Example,
  seed?: number,
): Promise<readonly (readonly number[])[]> {
  const run = backend.create(findRule(rule), {
    dtype: 'float64',
    parameters: { x: { values: start, shape: [start.length] } },
    options,
  })
  const perturbation = (t: number, i: number): number =>
    seed === undefined ? 1 : 1 + (((7 * t + 3 * i + seed) % 5) - 2) * Number.EPSILON
  const points: (readonly number[])[] = []
  for (let t = 1; t <= (steps.at(-1) ?? 0); t++) {
    const { x } = await run.parameters()
    await run.step({ x: gradientAt(name, x).map((g, i) => g * perturbation(t, i)) })
    if (steps.includes(t)) points.push((await run.parameters()).x)
  }
  return points
}

/**
 * The largest difference, relative to max(|golden|, 1). Where the golden trajectory is not finite, the
 * other must not be finite either.
 */
function distance(theta: readonly number[], golden: readonly (number | null)[]): number {
  const errors = golden.map((expected, i) => {
    if (expected !== null && Number.isFinite(expected)) {
      return Math.abs(theta[i] - expected) / Math.max(Math.abs(expected), 1)
    }
    return Number.isFinite(theta[i]) ? Number.POSITIVE_INFINITY : 0
  })
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors)
}

/** Throws if a result exceeds the tolerance of its data type. */
function expectAgreement(results: readonly GoldenResult[]): void {
  const wrong = results.filter(({ dtype, error }) => !(error <= goldenTolerance[dtype]))
  if (wrong.length > 0) throw new Error(`golden: ${JSON.stringify(wrong, undefined, 2)}`)
}

/**
 * Adam and diffGrad on gradients of 5e-15 with ε = 1e-15, as 3D Gaussian splatting has: where small
 * averages are replaced by zero, the steps are several times too long.
 *
 * The expected values are the equations of Kingma and Ba, arXiv:1412.6980, algorithm 1, and of Dubey et
 * al., arXiv:1909.11015, in double precision; diffGrad adds ε before the bias correction (docs/rule.md).
 */
async function expectTinyGradients(backend: BackendUnderTest): Promise<void> {
  const [learningRate, beta1, beta2, epsilon] = [1e-3, 0.9, 0.999, 1e-15]
  // Two gradients of one sign, and one that changes its sign, which makes m smaller than √v.
  const gradientsAt = (t: number): readonly number[] => [
    5e-15,
    -3e-15 * (1 + 0.5 * Math.sin(t)),
    5e-15 * Math.cos(t),
  ]
  for (const rule of [adam, diffGrad]) {
    for (const dtype of backend.dtypes) {
      const run = backend.create(rule, {
        dtype,
        parameters: { x: { values: [0, 0, 0], shape: [3] } },
        options: { learningRate, beta1, beta2, epsilon },
      })
      const theta = [0, 0, 0]
      const [m, v, p] = [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]
      for (let t = 1; t <= 300; t++) {
        const g = gradientsAt(t)
        await run.step({ x: g })
        for (const i of theta.keys()) {
          m[i] = beta1 * m[i] + (1 - beta1) * g[i]
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
          const [c1, c2] = [1 - beta1 ** t, 1 - beta2 ** t]
          const xi = 1 / (1 + Math.exp(-Math.abs(p[i] - g[i])))
          theta[i] -=
            rule === adam
              ? (learningRate * (m[i] / c1)) / (Math.sqrt(v[i] / c2) + epsilon)
              : (((learningRate * Math.sqrt(c2)) / c1) * xi * m[i]) / (Math.sqrt(v[i]) + epsilon)
          p[i] = g[i]
        }
      }
      const { x } = await run.parameters()
      const tolerance = { relative: goldenTolerance[dtype], absolute: goldenTolerance[dtype] / 10 }
      expectClose(x, theta, tolerance)
    }
  }
}

/** Agreement with independent implementations. */
export const goldenLaws: readonly Law[] = [
  {
    name: 'golden trajectories on recorded gradients',
    async check(backend) {
      const results = await runTrajectories(backend)
      expectAgreement(results)
      if (!backend.dtypes.includes('float64')) return // Some rules have cases in double precision alone.
      const missing = allRules.find(({ name }) => !results.some(({ rule }) => rule === name))
      if (missing) throw new Error(`golden: there is no case of ${missing.name}`)
    },
  },
  {
    name: 'golden descents of functions of one and two variables',
    check: async (backend) => expectAgreement(await runFunctions(backend)),
  },
  {
    name: 'golden steps for gradients of 5e-15 and ε = 1e-15',
    check: expectTinyGradients,
  },
]
