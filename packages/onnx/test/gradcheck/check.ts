import { InferenceSession, Tensor } from 'onnxruntime-node'
import { gradients } from '../../src/autodiff/gradients.ts'
import { Graph, type Value } from '../../src/ir/graph.ts'
import { cpuLowering, type Lowering } from '../../src/ir/lowering.ts'
import { toModel } from '../../src/ir/to-model.ts'
import { staticShape } from '../../src/ir/value.ts'
import { elementCount } from '../../src/model/model.ts'
import { writeModel } from '../../src/model/write.ts'
import { type Random, seeded } from '../../src/nn/initializers.ts'
import { filled, mul, reduceSum } from '../../src/ops/builders.ts'
import { floats, norm } from '../session.ts'

/** The largest relative error of a correct rule in float32. */
export const tolerance: number = 1e-4

/** Draws the axis lengths of a case. */
export interface Draw {
  /** An integer in [low, high]. */
  size(low: number, high: number): number
}

/** A function whose gradient is checked. */
export interface Case {
  readonly operator: string
  readonly about: string
  readonly inputs: (draw: Draw) => readonly (readonly number[])[]
  readonly build: (...inputs: Value[]) => Value
  /**
   * `smooth`: in [−1, 1], the default. `positive`: in [0.5, 1.5]. `apart`: elements differ from each
   * other and from 0 by more than the step of the finite differences.
   */
  readonly values?: 'smooth' | 'positive' | 'apart'
  readonly lowering?: Partial<Lowering>
  /** The step of the finite differences. Default 1/64. */
  readonly step?: number
}

/** A case with drawn shapes and elements, in a session with the outputs `y` and the gradients `g0`, `g1` … */
export interface Prepared {
  readonly session: InferenceSession
  /** The elements of the inputs. */
  readonly data: readonly Float32Array[]
  /** r of the scalar L = Σ r·y that is differentiated. */
  readonly weights: Float32Array
  /** The generator that drew the case, for the directions. */
  readonly random: Random
  run(
    data: readonly Float32Array[],
    outputs: readonly string[],
  ): Promise<InferenceSession.OnnxValueMapType>
}

/** Draws a case and creates a session for the gradients of Σ r·y on an execution provider. */
export async function prepare(
  { inputs, build, values = 'smooth', lowering }: Case,
  seed: number,
  provider = 'cpu',
): Promise<Prepared> {
  const random = seeded(seed)
  const graph = new Graph({ ...cpuLowering, ...lowering })
  const shapes = inputs({
    size: (low, high) => low + Math.floor(random.uniform() * (high - low + 1)),
  })
  const x = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape))
  const y = build(...x)
  const weights = Float32Array.from({ length: elementCount(staticShape(y)) }, () => random.normal())
  const r = graph.initializer('r', { type: 'float32', shape: staticShape(y), data: weights })
  const all = y.shape.map((_, axis) => axis)
  const gradientOf = gradients(reduceSum(mul(y, r), all, 'drop'), x)
  const outputs = new Map([
    ['y', y],
    ...x.map(
      (input, i) => [`g${i}`, gradientOf.get(input) ?? filled(graph, shapes[i] ?? [])] as const,
    ),
  ])
  const session = await InferenceSession.create(writeModel(toModel({ name: 'check', outputs })), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    executionProviders: [provider],
  })
  const data = shapes.map((shape) => elements(random, elementCount(shape), values))
  const run: Prepared['run'] = (feeds, outputNames) =>
    session.run(
      Object.fromEntries(
        feeds.flatMap((array, i) =>
          session.inputNames.includes(`x${i}`)
            ? [[`x${i}`, new Tensor('float32', array, shapes[i] ?? [])]]
            : [],
        ),
      ),
      outputNames,
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
      const h = one.step ?? 1 / 64
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

/** ‖a − b‖ / ‖b‖, or ‖a − b‖ if b is zero. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return norm(Array.from(a, (v, i) => v - (b[i] ?? 0))) / (norm(b) || 1)
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

function elements(random: Random, length: number, values: Case['values']): Float32Array {
  if (values === 'smooth') return Float32Array.from({ length }, () => 2 * random.uniform() - 1)
  if (values === 'positive') return Float32Array.from({ length }, () => 0.5 + random.uniform())
  // Odd multiples of half a distance, centred at 0, in random order.
  const order = Array.from({ length }, (_, i) => [random.uniform(), i] as const)
  const ranks = order.toSorted(([a], [b]) => a - b).map(([, i]) => i)
  const distance = 1 / 8
  return Float32Array.from(ranks, (rank) => (rank - Math.floor(length / 2) + 0.5) * distance)
}
