import type { Graph } from '@diffgrad/core'
import { Assembler } from './assembler.ts'
import { Bytes } from './bytes.ts'
import { LoopBody } from './loop-body.ts'
import { lower } from './lower.ts'
import { kernelModule } from './module.ts'
import { type Dtype, simdTypeOf } from './simd.ts'

/** Which of the possible kernels of a graph. */
export interface KernelForm {
  readonly dtype: Dtype
  /** Whether products and sums may be fused, to be rounded once. */
  readonly relaxed: boolean
  /** Whether the memory is shared between threads. */
  readonly shared: boolean
  /**
   * Whether running averages that became negligible are set to zero. Left alone, an average of zeros
   * ends up subnormal, where some processors are slower by an order of magnitude.
   */
  readonly flush: boolean
}

/** Every so many steps, running averages that became negligible are set to zero. */
const flushEvery = 32

/** Whether step t, from 1, takes the kernel that flushes. */
export const flushes = (t: number): boolean => t > 0 && t % flushEvery === 0

/** Kernels take elements by the eight, so arrays are padded to a multiple of it. */
export const padding = 8

/** Vectors of each array that a turn of the loop takes. */
const unroll = 2

/** The parameters of every kernel, as locals; behind them come an address for each array. */
const [block, from, count, firstPointer] = [0, 1, 2, 3]

const get = 0x20
const set = 0x21
const tee = 0x22
const load = 0x28
const constant = 0x41
const add = 0x6a
const sub = 0x6b
const shiftLeft = 0x74
const greater = 0x4a
const isZero = 0x45
const returnIf = [0x04, 0x40, 0x0f, 0x0b]
const loop = [0x03, 0x40]
const repeatIf = [0x0d, 0, 0x0b]

/**
 * Where the coefficients lie behind the addresses in a kernel's arguments, which are in the memory
 * that it works on: for each array of its graph, in order, the address, in 32 bits; then, from here,
 * the coefficients in the data type of the arrays.
 */
export const scalarsAt = (arrays: number): number => 8 * Math.ceil(arrays / 2)

/**
 * A module with one function: (where its arguments lie, the first element, the number of elements,
 * which is a multiple of `padding`).
 */
export function kernelBytes(graph: Graph, form: KernelForm): Uint8Array<ArrayBuffer> {
  const { arrays, coefficients } = graph
  const lanes = simdTypeOf[form.dtype]
  const asm = new Assembler(lanes, form.relaxed, firstPointer + arrays.length)
  const addresses = arrays.map((_, i) => firstPointer + i)
  const pointers = Object.fromEntries(arrays.map((name, i) => [name, addresses[i]]))
  const scalars = Object.fromEntries(
    coefficients.map((name, i) => [
      name,
      asm.splat(block, scalarsAt(arrays.length) + i * lanes.bytes),
    ]),
  )
  const outputs = lower(graph)
  const vector = lanes.bytes * lanes.count
  for (let k = 0; k < unroll; k++) {
    new LoopBody(asm, { pointers, scalars, offset: k * vector }, outputs, form.flush)
  }

  const body = new Bytes().append(asm.before)
  for (const [i, pointer] of addresses.entries()) {
    body.raw(get, block, load, 2).unsigned(4 * i)
    body.raw(get, from, constant).signed(Math.log2(lanes.bytes)).raw(shiftLeft, add)
    body.raw(set).unsigned(pointer)
  }
  body.raw(get, count, isZero, ...returnIf, ...loop).append(asm.turn)
  for (const pointer of addresses) {
    body
      .raw(get)
      .unsigned(pointer)
      .raw(constant)
      .signed(unroll * vector)
    body.raw(add, set).unsigned(pointer)
  }
  body
    .raw(get, count, constant)
    .signed(unroll * lanes.count)
    .raw(sub, tee, count)
  body.raw(constant, 0, greater, ...repeatIf)
  return kernelModule(arrays.length, asm.vectors, body, form.shared)
}
