import type { Assembler, Push } from './assembler.ts'
import type { Lanes } from './lanes.ts'

/** How a data type computes powers. Polynomials begin with the constant term. */
interface Method {
  /** Beyond these, eˣ stays what it is there: neither infinite nor subnormal. */
  readonly lowest: number
  readonly highest: number
  /** ln 2 in two parts, the first with so few digits that its multiples are exact. */
  readonly ln2: readonly [high: number, low: number]
  /** eʳ for |r| ≤ ½ ln 2. */
  readonly exponential: readonly number[]
  /** 2ᶠ for |f| ≤ ½, if that is good enough for 1 + 2ᶠ⁺ᵏ where k ≤ 0. */
  readonly power?: readonly number[]
}

/** 1/0!, 1/1!, … 1/n! */
const taylor = (n: number): readonly number[] => {
  const terms = [1]
  for (let k = 1; k <= n; k++) terms.push(terms[k - 1] / k)
  return terms
}

/** Minimax polynomials of relative error, by Remez' exchange; 1.4e-8 and 1.2e-7 at worst. */
const single: Method = {
  lowest: -87,
  highest: 88,
  ln2: [0.693145751953125, 1.42860677e-6],
  exponential: [
    1, 1, 0.4999999207976942, 0.16666420168867713, 0.041668225575599384, 0.00837481588705031,
    0.0013836845897405624,
  ],
  power: [
    1, 0.6931469670647709, 0.2402211972384121, 0.055507132734804815, 0.009675541334416175,
    0.0013276471997952317,
  ],
}

/** The remainder after r¹³/13! is below 5e-18. */
const double: Method = {
  lowest: -708,
  highest: 709,
  ln2: [0.6931471803691238, 1.9082149292705877e-10],
  exponential: taylor(13),
}

const methodOf = ({ bytes }: Lanes): Method => (bytes === 4 ? single : double)

/**
 * Pushes eˣ = 2ᵏ·eʳ, with x = k ln 2 + r. The bound comes second in `pmin` and `pmax`, which then
 * pass NaN on. Within 1.5 ulp in float32.
 */
export function exponential(asm: Assembler, x: Push): void {
  const { lowest, highest, ln2, exponential } = methodOf(asm.lanes)
  const [rest, shifted, k] = [asm.local(), asm.local(), asm.local()]
  x()
  asm.constant(highest)
  asm.operation('pmin')
  asm.constant(lowest)
  asm.operation('pmax')
  asm.set(rest)
  asm.multiplyAdd(
    () => asm.get(rest),
    () => asm.constant(Math.LOG2E),
    () => asm.constant(asm.lanes.magic),
  )
  asm.tee(shifted)
  asm.constant(asm.lanes.magic)
  asm.operation('sub')
  asm.set(k)
  for (const part of ln2) {
    asm.subtractProduct(
      () => asm.get(rest),
      () => asm.get(k),
      () => asm.constant(part),
    )
    asm.set(rest)
  }
  horner(asm, exponential, rest)
  timesPowerOfTwo(asm, shifted)
}

/**
 * Pushes 1 + e⁻ˣ for x ≥ 0, the inverse of the logistic function. In float32, e⁻ˣ = 2ᵏ·2ᶠ with
 * −x·log₂e = k + f: cheaper than `exponential`, and its error, which grows with x, sinks below 1.
 */
export function logistic(asm: Assembler, x: Push): void {
  const { power, highest } = methodOf(asm.lanes)
  if (!power) {
    exponential(asm, () => {
      x()
      asm.constant(-1)
      asm.operation('mul')
    })
  } else {
    const [scaled, shifted] = [asm.local(), asm.local()]
    x()
    asm.constant(highest - 1)
    asm.operation('pmin')
    asm.constant(-Math.LOG2E)
    asm.operation('mul')
    asm.tee(scaled)
    asm.constant(asm.lanes.magic)
    asm.operation('add')
    asm.set(shifted)
    asm.get(scaled)
    asm.get(shifted)
    asm.constant(asm.lanes.magic)
    asm.operation('sub')
    asm.operation('sub')
    asm.set(scaled)
    horner(asm, power, scaled)
    timesPowerOfTwo(asm, shifted)
  }
  asm.constant(1)
  asm.operation('add')
}

/** Pushes the value of a polynomial. */
function horner(asm: Assembler, polynomial: readonly number[], x: number): void {
  const [first, ...rest] = polynomial.toReversed()
  asm.constant(first)
  for (const coefficient of rest) {
    asm.multiplyAdd(
      () => {},
      () => asm.get(x),
      () => asm.constant(coefficient),
    )
  }
}

/** Multiplies by 2ᵏ, with k in the lowest bits of a local, by adding it to the exponent's bits. */
function timesPowerOfTwo(asm: Assembler, k: number): void {
  asm.get(k)
  asm.shiftLeft(asm.lanes.mantissa)
  asm.operation('integerAdd')
}
