import type { Assembler, Push } from './assembler.ts'
import type { SimdType } from './simd.ts'

/** The constants of eˣ in one data type. Polynomials list the coefficients of x, x², …; the constant is 1. */
interface Method {
  /** The argument is clamped to these bounds, so that eˣ is neither infinite nor subnormal. */
  readonly lowest: number
  readonly highest: number
  /** ln 2 as a sum; the first summand has so few digits that its multiples are exact. */
  readonly ln2: readonly [high: number, low: number]
  /** eʳ for |r| ≤ ½ ln 2. */
  readonly exponential: readonly number[]
  /** 2ᶠ for |f| ≤ ½; only where it is accurate enough for 1 + 2ᶠ⁺ᵏ with k ≤ 0. */
  readonly power?: readonly number[]
}

/** 1/1!, 1/2!, … 1/n! */
const taylor = (n: number): readonly number[] => {
  const terms = [1]
  for (let k = 2; k <= n; k++) terms.push(terms[k - 2] / k)
  return terms
}

/** Minimax polynomials by the Remez exchange algorithm, of relative error 1.4e-8 and 1.2e-7. */
const float32: Method = {
  lowest: -87,
  highest: 88,
  ln2: [0.693145751953125, 1.42860677e-6],
  exponential: [
    1, 0.4999999207976942, 0.16666420168867713, 0.041668225575599384, 0.00837481588705031,
    0.0013836845897405624,
  ],
  power: [
    0.6931469670647709, 0.2402211972384121, 0.055507132734804815, 0.009675541334416175,
    0.0013276471997952317,
  ],
}

/** The remainder after r¹³/13! is below 5e-18. */
const float64: Method = {
  lowest: -708,
  highest: 709,
  ln2: [0.6931471803691238, 1.9082149292705877e-10],
  exponential: taylor(13),
}

const methodOf = ({ bytes }: SimdType): Method => (bytes === 4 ? float32 : float64)

/**
 * Pushes eˣ = 2ᵏ·eʳ, where x = k ln 2 + r; within 1.5 ulp in float32. The bound is the second operand
 * of `pmin` and `pmax`, which then return NaN for NaN.
 */
export function exponential(asm: Assembler, x: Push): void {
  const { lowest, highest, ln2, exponential } = methodOf(asm.simd)
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
    () => asm.constant(asm.simd.roundingConstant),
  )
  asm.tee(shifted)
  asm.constant(asm.simd.roundingConstant)
  asm.operation('sub')
  asm.set(k)
  for (const summand of ln2) {
    asm.subtractProduct(
      () => asm.get(rest),
      () => asm.get(k),
      () => asm.constant(summand),
    )
    asm.set(rest)
  }
  polynomial(asm, exponential, rest)
  timesPowerOfTwo(asm, shifted)
}

/**
 * Pushes 1 + e⁻ˣ for x ≥ 0, the reciprocal of the logistic function. In float32, e⁻ˣ = 2ᵏ·2ᶠ where
 * −x·log₂e = k + f. That is cheaper than `exponential`; its error grows with x, but vanishes in the sum.
 */
export function logistic(asm: Assembler, x: Push): void {
  const { power, highest } = methodOf(asm.simd)
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
    asm.constant(asm.simd.roundingConstant)
    asm.operation('add')
    asm.set(shifted)
    asm.get(scaled)
    asm.get(shifted)
    asm.constant(asm.simd.roundingConstant)
    asm.operation('sub')
    asm.operation('sub')
    asm.set(scaled)
    polynomial(asm, power, scaled)
    timesPowerOfTwo(asm, shifted)
  }
  asm.constant(1)
  asm.operation('add')
}

/**
 * Pushes 1 + c₁x + c₂x² + …, adding 1 last for accuracy. The terms from x² on are summed by Estrin's
 * scheme, which has half the latency of Horner's.
 */
function polynomial(asm: Assembler, [c1, ...coefficients]: readonly number[], x: number): void {
  const powers = new Map([[1, x]])
  const power = (n: number): number => {
    const local = powers.get(n) ?? asm.local()
    if (!powers.has(n)) {
      square(asm, power(n / 2))
      asm.set(local)
      powers.set(n, local)
    }
    return local
  }
  const push = (terms: readonly number[]): void => {
    if (terms.length === 1) {
      asm.constant(terms[0])
    } else {
      const half = 2 ** Math.floor(Math.log2(terms.length - 1))
      const raised = power(half)
      asm.multiplyAdd(
        () => push(terms.slice(half)),
        () => asm.get(raised),
        () => push(terms.slice(0, half)),
      )
    }
  }
  const first = (): void => {
    asm.get(x)
    if (c1 === 1) return
    asm.constant(c1)
    asm.operation('mul')
  }
  const squared = power(2)
  asm.multiplyAdd(
    () => push(coefficients),
    () => asm.get(squared),
    first,
  )
  asm.constant(1)
  asm.operation('add')
}

function square(asm: Assembler, x: number): void {
  asm.get(x)
  asm.get(x)
  asm.operation('mul')
}

/** Multiplies the top of the stack by 2ᵏ: adds k, in the lowest bits of a local, to the exponent's bits. */
function timesPowerOfTwo(asm: Assembler, k: number): void {
  asm.get(k)
  asm.shiftLeft(asm.simd.mantissa)
  asm.operation('integerAdd')
}
