import type { Dtype } from '../typed-arrays.ts'

/** Vector operations by their names in the specification, without their shape. */
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

/** A 128-bit vector of floating-point numbers: its layout, and the opcodes of its operations. */
export interface SimdType {
  /** Bytes of one number. */
  readonly bytes: number
  /** Numbers in a vector. */
  readonly lanes: number
  /** Bits of the mantissa, so the position of the exponent. */
  readonly mantissa: number
  /** 1.5 · 2^mantissa: a sum with it holds its integer part in its lowest bits. */
  readonly roundingConstant: number
  /** Smaller magnitudes are subnormal. */
  readonly smallestNormal: number
  readonly opcodes: Readonly<Record<Operation, number>>
}

/** The vector of each data type. */
export const simdTypes: Readonly<Record<Dtype, SimdType>> = {
  float32: {
    bytes: 4,
    lanes: 4,
    mantissa: 23,
    roundingConstant: 1.5 * 2 ** 23,
    smallestNormal: 2 ** -126,
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
  },
  float64: {
    bytes: 8,
    lanes: 2,
    mantissa: 52,
    roundingConstant: 1.5 * 2 ** 52,
    smallestNormal: 2 ** -1022,
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
  },
}
