import type { Graph, Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import { elementCount } from '../model/model.ts'
import { apply } from './apply.ts'
import { add, cast, div, less, lessOrEqual, mul, reshape, sub, where } from './builders.ts'

/** A prime p < 2³¹ with p mod 3 = 2, so that cubing permutes the numbers below it. */
const prime = 2_147_483_579

/** Odd multipliers without a pattern: of elements, seeds, applications and steps. */
const [ofElement, ofSeed, ofApplication, ofStep] = [
  742_938_285n,
  950_706_376n,
  1_226_874_159n,
  62_089_911n,
]

/** Added between the rounds: less than this, so that products stay below 2⁶³. */
const shift = 2 ** 29

/** Steps are counted in float32, whose integers are exact up to here. */
const maxStep = 2 ** 24

/**
 * Draws the elements that Dropout keeps as a function of a seed and of a count of steps, which is a running
 * statistic: equal runs drop the same elements, and so does a run that is resumed from a checkpoint. ONNX
 * has a seed of Dropout, but the state of its generator cannot be saved.
 */
export class DropoutMasks {
  readonly #graph: Graph
  readonly #seed: number
  #count: readonly [step: Value, next: Value] | undefined
  #applications = 0

  constructor(graph: Graph, seed: number) {
    this.#graph = graph
    this.#seed = seed
  }

  /** The count of steps, and its next value. */
  get count(): readonly [step: Value, next: Value] {
    if (this.#count) return this.#count
    const initial = { type: 'float32', shape: [1], data: new Float32Array(1) } as const
    const step = this.#graph.parameter(this.#graph.freshName('dropout/step'), initial)
    this.#count = [step, where(less(step, maxStep - 1), add(step, 1), 0)]
    return this.#count
  }

  /**
   * y = x / (1 − ratio) where an element is kept, and 0 elsewhere.
   *
   * @returns y, and whether each element is kept.
   */
  apply(x: Value, ratio: Value): readonly [y: Value, kept: Value] {
    const random = cast(this.#draw(staticShape(x)), 'float32')
    const kept = lessOrEqual(mul(ratio, prime), random)
    return [mul(x, div(cast(kept, 'float32'), sub(1, ratio))), kept]
  }

  /** Pseudorandom int64 numbers below p: ((a·i + b)³ + s)³ mod p for element i, where s depends on the step. */
  #draw(shape: readonly number[]): Value {
    const columns = Math.max(shape.at(-1) ?? 1, 1)
    const rows = elementCount(shape) / columns
    const start = BigInt(this.#seed) * ofSeed + BigInt(this.#applications++) * ofApplication
    // The terms of rows and columns take less memory than those of all elements.
    const ofRows = this.#terms(rows, (row) => BigInt(row * columns) * ofElement + start, [rows, 1])
    const ofColumns = this.#terms(columns, (column) => BigInt(column) * ofElement, [1, columns])
    const step = mul(cast(this.count[0], 'int64'), Number(ofStep))
    const first = modulo(add(add(ofRows, modulo(step, prime)), ofColumns), prime)
    const second = add(cube(first), modulo(step, shift))
    return reshape(cube(second), shape)
  }

  #terms(length: number, term: (i: number) => bigint, shape: readonly number[]): Value {
    const p = BigInt(prime)
    const values = Array.from({ length }, (_, i) => ((term(i) % p) + p) % p)
    return this.#graph.constant({ type: 'int64', shape, data: elements('int64', values) })
  }
}

const modulo = (x: Value, divisor: number): Value =>
  apply('Mod', [x, x.graph.scalar(divisor, 'int64')])

/** x³ mod p, for x < 2³¹ + 2²⁹ */
const cube = (x: Value): Value => modulo(mul(modulo(mul(x, x), prime), x), prime)
