import { InferenceSession, Tensor } from 'onnxruntime-node'
import { gradients } from '../../src/gradient/gradients.ts'
import { Graph } from '../../src/ir/graph.ts'
import { fastest, type Lowering } from '../../src/ir/lowering.ts'
import { toModel } from '../../src/ir/to-model.ts'
import { sizes, type Value } from '../../src/ir/value.ts'
import { elementCount } from '../../src/model/model.ts'
import { writeModel } from '../../src/model/write.ts'
import { mul, reduceSum } from '../../src/ops/operations.ts'
import { type Random, seeded } from '../../src/random.ts'

/** What float32 leaves of the differences: no right rule errs by more. */
export const tolerance: number = 1e-4

/** Draws the lengths of a case. */
export interface Draw {
  /** A whole number from `low` to `high`, both included. */
  size(low: number, high: number): number
}

/** A function of some inputs, of which the gradient is checked. */
export interface Case {
  readonly operator: string
  readonly about: string
  readonly inputs: (draw: Draw) => readonly (readonly number[])[]
  readonly build: (...inputs: Value[]) => Value
  /** `apart`: no two elements, and none and 0, are closer than the steps reach. Default `smooth`, in [−1, 1]. */
  readonly values?: 'smooth' | 'positive' | 'apart'
  readonly lowering?: Partial<Lowering>
}

/** A case with its lengths and elements drawn, in a session that gives `y` and every gradient `g0`, `g1` … */
export interface Prepared {
  readonly session: InferenceSession
  /** The elements of the inputs. */
  readonly data: readonly Float32Array[]
  /** r, by which the sum weighs the elements of y. */
  readonly weights: Float32Array
  /** Goes on where drawing the case ended. */
  readonly random: Random
  run(
    data: readonly Float32Array[],
    wanted: readonly string[],
  ): Promise<InferenceSession.OnnxValueMapType>
}

/** Draws a case, and prepares its gradients of Σ r·y on an execution provider. */
export async function prepare(
  { inputs, build, values = 'smooth', lowering }: Case,
  seed: number,
  provider = 'cpu',
): Promise<Prepared> {
  const random = seeded(seed)
  const graph = new Graph({ ...fastest, ...lowering })
  const shapes = inputs({
    size: (low, high) => low + Math.floor(random.uniform() * (high - low + 1)),
  })
  const x = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape))
  const y = build(...x)
  const weights = Float32Array.from({ length: elementCount(sizes(y)) }, () => random.normal())
  const r = graph.initializer('r', { type: 'float32', shape: sizes(y), data: weights })
  const all = y.shape.map((_, axis) => axis)
  const slopes = gradients(reduceSum(mul(y, r), all, 'drop'), x)
  const outputs = new Map([
    ['y', y],
    ...x.map((input, i) => [`g${i}`, slopes.get(input) ?? input] as const),
  ])
  const session = await InferenceSession.create(writeModel(toModel({ name: 'check', outputs })), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    executionProviders: [provider],
  })
  const data = shapes.map((shape) => elements(random, elementCount(shape), values))
  const run: Prepared['run'] = (changed, wanted) =>
    session.run(
      Object.fromEntries(
        changed.flatMap((array, i) =>
          session.inputNames.includes(`x${i}`)
            ? [[`x${i}`, new Tensor('float32', array, shapes[i] ?? [])]]
            : [],
        ),
      ),
      wanted,
    )
  return { session, data, weights, random, run }
}

/**
 * The worst difference between gradients and central differences, over all inputs and some random
 * directions d, relative to ‖∂x‖. The slope along d is (8·(L(h) − L(−h)) − (L(2h) − L(−2h))) / 12h,
 * with L = Σ r·y summed in double precision.
 */
export async function worstError(one: Case, seed: number): Promise<number> {
  const { session, data, weights, random, run } = await prepare(one, seed)
  const sum = async (input: number, direction: Float32Array, step: number): Promise<number> => {
    const moved = data.map((array, i) =>
      i === input ? array.map((v, k) => v + step * (direction[k] ?? 0)) : array,
    )
    return dot(floats(await run(moved, ['y']), 'y'), weights)
  }
  const exact = await run(data, session.outputNames)
  let worst = 0
  for (const [i, array] of data.entries()) {
    const gradient = floats(exact, `g${i}`)
    for (let repeat = 0; repeat < 2; repeat++) {
      const direction = array.map(() => (random.uniform() < 0.5 ? -1 : 1))
      const h = 1 / 64
      const near = (await sum(i, direction, h)) - (await sum(i, direction, -h))
      const far = (await sum(i, direction, 2 * h)) - (await sum(i, direction, -2 * h))
      const slope = (8 * near - far) / (12 * h)
      const size = Math.sqrt(dot(gradient, gradient))
      worst = Math.max(worst, Math.abs(slope - dot(gradient, direction)) / (size || 1))
    }
  }
  await session.release()
  return worst
}

export function floats(results: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = results[name]?.data
  if (data instanceof Float32Array) return data
  throw new TypeError(`${name} must be float32`)
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

function elements(random: Random, length: number, values: Case['values']): Float32Array {
  if (values === 'smooth') return Float32Array.from({ length }, () => 2 * random.uniform() - 1)
  if (values === 'positive') return Float32Array.from({ length }, () => 0.5 + random.uniform())
  // Odd multiples of a distance, in random order, centred at 0.
  const order = Array.from({ length }, (_, i) => [random.uniform(), i] as const)
  const places = order.toSorted(([a], [b]) => a - b).map(([, i]) => i)
  const distance = 1 / 8
  return Float32Array.from(places, (place) => (place - Math.floor(length / 2) + 0.5) * distance)
}
