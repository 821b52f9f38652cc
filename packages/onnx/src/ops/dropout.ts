import type { Graph, Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import { elementCount } from '../model/model.ts'
import { apply } from './apply.ts'
import { add, cast, div, less, lessOrEqual, mul, reshape, slice, sub, where } from './builders.ts'

/**
 * A prime p with p mod 3 = 2, so that cubing permutes the numbers below it, and (2p)² < 2³¹, so that
 * products of sums of two numbers below it fit in int32, which every execution provider has.
 */
const prime = 23_159

/** The state of an element: two numbers below p. */
type Words = readonly [first: Value, second: Value]

/** Odd multipliers without a pattern: of rows, columns, seeds, applications and steps. */
const [ofRow, ofColumn, ofSeed, ofApplication, ofStep] = [
  742_938_285n,
  1_540_083_421n,
  950_706_376n,
  1_226_874_159n,
  13_007,
]

/** Steps are counted in float32, whose integers are exact up to here, and then from 0 again. */
export const maxStep: number = 2 ** 24

/**
 * Draws the elements that Dropout keeps as a function of a seed and of a count of steps, which is a running
 * statistic: equal runs drop the same elements, on every execution provider, and so does a run that is
 * resumed from a checkpoint. ONNX has a seed of Dropout, but the state of its generator cannot be saved.
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
   * y = x / (1 − ratio) where an element is kept, and 0 elsewhere. The probability of dropping is the ratio,
   * rounded up to a multiple of 1/p, 4e-5.
   *
   * @returns y, and whether each element is kept.
   */
  apply(x: Value, ratio: Value): readonly [y: Value, kept: Value] {
    const random = cast(this.#draw(staticShape(x)), 'float32')
    const kept = lessOrEqual(mul(ratio, prime), random)
    return [mul(x, div(cast(kept, 'float32'), sub(1, ratio))), kept]
  }

  /**
   * Pseudorandom int32 numbers below p: ((a + s)³ + b + t)³ mod p, where a and b are sums of a row's and a
   * column's words of a square that holds all elements, and s and t those of the step.
   */
  #draw(shape: readonly number[]): Value {
    const size = elementCount(shape)
    // Words of rows and columns take less memory and time than those of all elements.
    const columns = 2 ** Math.ceil(Math.log2(Math.max(size, 1)) / 2)
    const rows = Math.ceil(size / columns)
    const start = BigInt(this.#seed) * ofSeed + BigInt(this.#applications++) * ofApplication
    const ofRows = this.#words(rows, (row) => BigInt(row) * ofRow + start, [rows, 1])
    const ofColumns = this.#words(columns, (column) => BigInt(column) * ofColumn, [1, columns])
    const step = this.#stepWords()
    const sum = (i: 0 | 1): Value => add(modulo(add(ofRows[i], step[i])), ofColumns[i])
    const drawn = cube(add(cube(sum(0)), modulo(sum(1))))
    if (rows * columns === size) return reshape(drawn, shape)
    const flat = reshape(drawn, [rows * columns])
    return reshape(slice(flat, [{ axis: 0, start: 0, end: size }]), shape)
  }

  /** The words of the count of steps. */
  #stepWords(): Words {
    const step = cast(this.count[0], 'int32')
    const quotient = div(step, prime)
    const remainder = sub(step, mul(quotient, prime))
    return [modulo(mul(remainder, ofStep)), modulo(mul(add(quotient, remainder), ofStep))]
  }

  /** Constants of two words for each index: the quotient and remainder by p of a scrambled term. */
  #words(length: number, term: (i: number) => bigint, shape: readonly number[]): Words {
    const scrambled = Array.from({ length }, (_, i) => scramble(term(i)))
    const word = (map: (value: number) => number): Value =>
      this.#graph.constant({
        type: 'int32',
        shape,
        data: elements('int32', scrambled.map(map)),
      })
    return [word((value) => Math.floor(value / prime)), word((value) => value % prime)]
  }
}

/** A pseudorandom number below p²: cubed twice modulo the largest prime below p² that is 2 mod 3. */
function scramble(value: bigint): number {
  const modulus = 536_339_261n
  const reduced = ((value % modulus) + modulus) % modulus
  const once = (reduced ** 3n + 1n) % modulus
  return Number(once ** 3n % modulus)
}

/** x mod p. By division, because WebGPU has no Mod. */
const modulo = (x: Value): Value =>
  x.graph.lowering.operators === 'plain'
    ? sub(x, mul(div(x, prime), prime))
    : apply('Mod', [x, x.graph.scalar(prime, x.type)])

/** x³ mod p, for x < 2p. */
const cube = (x: Value): Value => modulo(mul(modulo(mul(x, x)), x))
