import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type GradientModel, gradientModel } from '../../src/gradient-model.ts'
import type { Value } from '../../src/ir/graph.ts'
import { staticShape } from '../../src/ir/value.ts'
import { OnnxError } from '../../src/model/error.ts'
import { elementCount, type Model, type Tensor as ModelTensor } from '../../src/model/model.ts'
import { writeModel } from '../../src/model/write.ts'
import { type Random, seeded } from '../../src/nn/initializers.ts'
import { add, mul, reduceSum } from '../../src/ops/builders.ts'
import { floats } from '../session.ts'
import { messageOf, refusal, type Verdict } from './verdict.ts'

/** The most elements of a parameter that are moved. */
const mostElements = 16
/** The steps of the differences, from the most exact to the one that meets the fewest kinks. */
const steps = [2 ** -6, 2 ** -9, 2 ** -12, 2 ** -17] as const

/** A model without inputs: the data of a case are initializers, so that float32 ones are parameters. */
function withData(model: Model, data: readonly ModelTensor[]): Model {
  const fed = model.inputs.flatMap(({ name }, i) => {
    const tensor = data[i]
    return tensor ? [[name, tensor] as const] : []
  })
  return {
    ...model,
    inputs: model.inputs.slice(data.length),
    initializers: new Map([...model.initializers, ...fed]),
  }
}

/** L = Σ r·y over all float32 outputs y, with r drawn. @throws {OnnxError} If there is no such output. */
function weightedSum(random: Random, weights: Map<string, Float32Array>) {
  return (outputs: ReadonlyMap<string, Value>): Value => {
    const terms = [...outputs].flatMap(([name, y]) => {
      if (y.type !== 'float32') return []
      const shape = staticShape(y)
      const r = Float32Array.from({ length: elementCount(shape) }, () => random.normal())
      weights.set(name, r)
      const product = mul(y, y.graph.constant({ type: 'float32', shape, data: r }))
      return [
        reduceSum(
          product,
          shape.map((_, axis) => axis),
          'drop',
        ),
      ]
    })
    const [first, ...rest] = terms
    if (first === undefined) throw new NothingToCheck('has no float32 output')
    return rest.reduce((sum, term) => add(sum, term), first)
  }
}

class NothingToCheck extends Error {}

/**
 * The verdict on the gradients of a model's float32 inputs and weights at the data of a case.
 *
 * @param difference - tells how outputs differ from the expected ones; empty if they do not.
 */
export async function gradientVerdict(
  model: Model,
  data: readonly ModelTensor[],
  difference: (results: Outputs) => string,
): Promise<Verdict> {
  const whole = withData(model, data)
  const floatNames = [...whole.initializers].flatMap(([name, { type, ...tensor }]) =>
    type === 'float32' && 'shape' in tensor && tensor.shape.length > 0 ? [name] : [],
  )
  if (floatNames.length === 0) return { verdict: 'skipped', reason: 'has no float32 input' }
  const training = whole.nodes.some(
    ({ operator, attributes }) =>
      operator === 'BatchNormalization' && attributes.get('training_mode') === 1,
  )
  const weights = new Map<string, Float32Array>()
  const differentiate = (frozen: readonly RegExp[]): GradientModel =>
    gradientModel(whole, {
      loss: weightedSum(seeded(1), weights),
      mode: training ? 'train' : 'evaluate',
      frozen,
    })
  const [first, ...others] = floatNames
  try {
    return await compare(differentiate([]), weights, difference)
  } catch (error) {
    if (error instanceof NothingToCheck) return { verdict: 'skipped', reason: error.message }
    if (!(error instanceof OnnxError) || first === undefined || others.length === 0)
      return refusal(error)
    try {
      // Bounds, scales and the like must be constants in some operators: only the first input is trained.
      const pattern = others.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')
      return await compare(differentiate([new RegExp(`^(?:${pattern})$`)]), weights, difference)
    } catch {
      return refusal(error)
    }
  }
}

async function compare(
  { model, parameters, statistics }: GradientModel,
  weights: ReadonlyMap<string, Float32Array>,
  outputDifference: (results: Outputs) => string,
): Promise<Verdict> {
  let session: InferenceSession
  try {
    session = await InferenceSession.create(writeModel(model), {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
      graphOptimizationLevel: 'disabled',
    })
  } catch (error) {
    return { verdict: 'wrong', reason: `the gradient model does not load: ${messageOf(error)}` }
  }
  const state = [...statistics, ...parameters].filter(([name]) => session.inputNames.includes(name))
  const point = Object.fromEntries(
    state.map(([name, { initial }]) => [
      name,
      new Tensor('float32', initial.data.slice(), initial.shape),
    ]),
  )
  const exact = await session.run(point)
  const forward = outputDifference(exact)
  if (forward) return { verdict: 'wrong', reason: `in the gradient model, ${forward}` }
  const finite = [...weights.keys()].every((name) => floats(exact, name).every(Number.isFinite))
  for (const [name, { initial, gradient }] of parameters) {
    const g = floats(exact, gradient)
    if (g.length !== initial.data.length)
      return { verdict: 'wrong', reason: `the gradient of "${name}" has ${g.length} elements` }
    if (point[name] === undefined) continue
    const scale = g.reduce((most, x) => Math.max(most, Number.isFinite(x) ? Math.abs(x) : 0), 0)
    const stride = Math.max(1, Math.floor(g.length / mostElements))
    for (let i = 0; i < g.length; i += stride) {
      const slopes = new Slopes(session, point, name, i, initial, weights)
      const found = g[i] ?? Number.NaN
      if (await slopes.agree(found, scale)) continue
      if (!finite) return { verdict: 'skipped', reason: 'has infinite outputs' }
      return {
        verdict: 'wrong',
        reason: `∂L/∂${name}[${i}] is ${found}, but differences are ${slopes.seen.join(', ')}`,
      }
    }
  }
  return { verdict: 'right' }
}

/** The slopes of L along one element. */
class Slopes {
  readonly seen: string[] = []
  readonly #session: InferenceSession
  readonly #point: Readonly<Record<string, Tensor>>
  readonly #name: string
  readonly #index: number
  readonly #initial: ModelTensor<'float32'>
  readonly #weights: ReadonlyMap<string, Float32Array>

  constructor(
    session: InferenceSession,
    point: Readonly<Record<string, Tensor>>,
    name: string,
    index: number,
    initial: ModelTensor<'float32'>,
    weights: ReadonlyMap<string, Float32Array>,
  ) {
    this.#session = session
    this.#point = point
    this.#name = name
    this.#index = index
    this.#initial = initial
    this.#weights = weights
  }

  /**
   * Whether a gradient is the slope at one of the steps. At a kink or a jump, where the slopes to both
   * sides differ, a gradient between them is right, and 0 is.
   */
  async agree(gradient: number, scale: number): Promise<boolean> {
    const centre = await this.#outputs(this.#initial.data[this.#index] ?? 0)
    let beside = false
    const slopes: number[] = []
    for (const step of steps) {
      const x = this.#initial.data[this.#index] ?? 0
      const h = step * Math.max(1, Math.abs(x))
      const [after, before] = [Math.fround(x + h), Math.fround(x - h)]
      const [right, left] = [await this.#outputs(after), await this.#outputs(before)]
      const a = difference(right, centre, this.#weights, after - x)
      const b = difference(centre, left, this.#weights, x - before)
      const both = difference(right, left, this.#weights, after - before)
      this.seen.push(both.slope.toPrecision(4))
      slopes.push(both.slope)
      if (!Number.isFinite(both.slope)) continue
      const within = (slope: number, noise: number): boolean =>
        Math.abs(slope - gradient) <= 5e-3 * Math.abs(slope) + 2e-3 * scale + noise + 1e-6
      if (within(both.slope, both.noise)) return true
      const isKink = Math.abs(a.slope - b.slope) > 0.05 * Math.abs(both.slope) + a.noise + b.noise
      const [low, high] = [Math.min(a.slope, b.slope), Math.max(a.slope, b.slope)]
      const margin = both.noise + 5e-3 * (Math.abs(low) + Math.abs(high))
      if (isKink && ((gradient >= low - margin && gradient <= high + margin) || gradient === 0))
        beside = true
      if (within(a.slope, a.noise) || within(b.slope, b.noise)) beside ||= isKink
    }
    const [first = 0] = slopes
    const jumps = Math.abs(slopes.at(-1) ?? 0) > 100 * Math.abs(first)
    return (
      jumps || beside || this.seen.every((slope) => slope === 'NaN' || slope.includes('Infinity'))
    )
  }

  async #outputs(element: number): Promise<Outputs> {
    const data = this.#initial.data.slice()
    data[this.#index] = element
    const moved = new Tensor('float32', data, this.#initial.shape)
    return this.#session.run({ ...this.#point, [this.#name]: moved }, [...this.#weights.keys()])
  }
}

type Outputs = InferenceSession.OnnxValueMapType

/** (L(a) − L(b)) / h, summed in double precision over the elements that differ, and its rounding. */
function difference(
  a: Outputs,
  b: Outputs,
  weights: ReadonlyMap<string, Float32Array>,
  h: number,
): { readonly slope: number; readonly noise: number } {
  let [sum, rounding] = [0, 0]
  for (const [name, r] of weights) {
    const [p, q] = [floats(a, name), floats(b, name)]
    for (const [i, weight] of r.entries()) {
      const [x, y] = [p[i] ?? 0, q[i] ?? 0]
      if (Object.is(x, y)) continue
      sum += weight * (x - y)
      rounding += Math.abs(weight) * Math.max(Math.abs(x), Math.abs(y))
    }
  }
  return { slope: sum / h, noise: (8 * 2 ** -24 * rounding) / h }
}
