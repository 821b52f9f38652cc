import type { Floats } from '../floats.ts'

/** What an array holds. */
export type Dtype = 'float32' | 'float64'

/** The data type of an array. */
export const dtypeOf = (array: Floats): Dtype =>
  array instanceof Float32Array ? 'float32' : 'float64'

/** One 128-bit vector of floating-point numbers: its layout, and the opcodes that work on it. */
export interface SimdType {
  /** Bytes of one number. */
  readonly bytes: number
  /** Numbers in a vector. */
  readonly count: number
  /** Bits of the mantissa: where the exponent begins. */
  readonly mantissa: number
  /** 1.5 · 2^mantissa: adding it leaves a sum's integer part in its lowest bits. */
  readonly magic: number
  /** Below this magnitude a running average is taken for zero, long before it is subnormal. */
  readonly negligible: number
  readonly opcodes: Readonly<Record<Operation, number>>
}

/** What is done to vectors, by the names of the specification without their shape. */
export type Operation =
  | 'abs'
  | 'sqrt'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'pmin'
  | 'pmax'
  | 'lt'
  | 'relaxedMadd'
  | 'relaxedNmadd'
  | 'loadSplat'
  | 'shl'
  | 'integerAdd'

/** Operations on all 128 bits, whatever they hold. */
export const bitwise = { load: 0x00, store: 0x0b, constant: 0x0c, select: 0x52 } as const

const f32x4: SimdType = {
  bytes: 4,
  count: 4,
  mantissa: 23,
  magic: 1.5 * 2 ** 23,
  negligible: 2 ** -100,
  opcodes: {
    abs: 0xe0,
    sqrt: 0xe3,
    add: 0xe4,
    sub: 0xe5,
    mul: 0xe6,
    div: 0xe7,
    min: 0xe8,
    max: 0xe9,
    pmin: 0xea,
    pmax: 0xeb,
    lt: 0x43,
    relaxedMadd: 0x105,
    relaxedNmadd: 0x106,
    loadSplat: 0x09,
    shl: 0xab,
    integerAdd: 0xae,
  },
}

const f64x2: SimdType = {
  bytes: 8,
  count: 2,
  mantissa: 52,
  magic: 1.5 * 2 ** 52,
  negligible: 2 ** -900,
  opcodes: {
    abs: 0xec,
    sqrt: 0xef,
    add: 0xf0,
    sub: 0xf1,
    mul: 0xf2,
    div: 0xf3,
    min: 0xf4,
    max: 0xf5,
    pmin: 0xf6,
    pmax: 0xf7,
    lt: 0x49,
    relaxedMadd: 0x107,
    relaxedNmadd: 0x108,
    loadSplat: 0x0a,
    shl: 0xcb,
    integerAdd: 0xce,
  },
}

/** The vectors of a data type. */
export const simdTypeOf: Readonly<Record<Dtype, SimdType>> = { float32: f32x4, float64: f64x2 }
