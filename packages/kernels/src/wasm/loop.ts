import type { Graph } from '@diffgrad/core'
import type { ByteArray, Dtype } from '../typed-arrays.ts'
import { Assembler, Bytes, opcode, valueType } from './assembler.ts'
import { runningAverages } from './flush.ts'
import { lower, type Term } from './lowering.ts'
import { kernelModule } from './module.ts'
import { simdTypes } from './simd.ts'
import { TermWriter } from './term-writer.ts'

/** What decides the module of a graph. */
export interface ModuleVariant {
  readonly dtype: Dtype
  /** Whether a product and a sum may be fused and rounded once. */
  readonly relaxed: boolean
  /** Whether the memory is shared between threads. */
  readonly shared: boolean
  /**
   * Whether running averages below their flush thresholds, which follow the coefficients, are set to
   * zero. Otherwise the average of zeros becomes subnormal, where some processors are slower by an order
   * of magnitude.
   */
  readonly flush: boolean
}

/** Vectors of each array that one iteration of the loop computes. */
const unroll = 2

/** How many elements one iteration computes: every run of a kernel computes a multiple of it. */
export const padding = 8

/** The parameters of a kernel's function, which are its first locals; the arrays' addresses follow. */
export const parameters = { argumentsAt: 0, from: 1, count: 2 } as const
export const firstAddress = 3

/**
 * Where the coefficients begin in a kernel's arguments: behind one 32-bit address for each array of the
 * graph, aligned to 8 bytes. Coefficients have the data type of the arrays.
 */
export const coefficientOffset = (arrays: number): number => 8 * Math.ceil(arrays / 2)

/**
 * Compiles a graph to a WebAssembly module that exports one function of three integers: the address of
 * its arguments, the first element, and the number of elements, which must be a multiple of `padding`.
 */
export function kernelBytes(graph: Graph, variant: ModuleVariant): ByteArray {
  const { arrays, coefficients } = graph
  const simd = simdTypes[variant.dtype]
  const vectorBytes = simd.bytes * simd.lanes
  const asm = new Assembler(simd, variant.relaxed, firstAddress + arrays.length)
  const addresses = arrays.map((_, i) => firstAddress + i)
  const splat = (i: number): number =>
    asm.splat(parameters.argumentsAt, coefficientOffset(arrays.length) + i * simd.bytes)
  const flushed = variant.flush ? runningAverages(graph) : []
  const locals = {
    addresses: Object.fromEntries(arrays.map((name, i) => [name, addresses[i]])),
    coefficients: Object.fromEntries(coefficients.map((name, i) => [name, splat(i)])),
    thresholds: new Map(flushed.map((name, i) => [name, splat(coefficients.length + i)])),
  }
  const outputs = lower(graph)
  for (let k = 0; k < unroll; k++) {
    writeIteration(asm, locals, k * vectorBytes, outputs)
  }
  const code = new Bytes().append(asm.prologue)
  for (const i of arrays.keys()) {
    loadAddress(code, i)
    shiftAddress(code, i, simd.bytes)
  }
  code.raw(opcode.localGet, parameters.count, opcode.i32Eqz)
  code.raw(opcode.if, valueType.none, opcode.return, opcode.end)
  code.raw(opcode.loop, valueType.none).append(asm.body)
  for (const address of addresses) advance(code, address, unroll * vectorBytes)
  repeat(code, parameters.count, unroll * simd.lanes)
  return kernelModule({ integers: arrays.length, vectors: asm.vectors }, code, variant.shared)
}

/** Loads the address of the ith array from the arguments. */
export function loadAddress(code: Bytes, i: number): void {
  code.raw(opcode.localGet, parameters.argumentsAt, opcode.i32Load, 2).unsigned(4 * i)
  code.raw(opcode.localSet).unsigned(firstAddress + i)
}

/** Moves the address of the ith array to the first element of the call. */
export function shiftAddress(code: Bytes, i: number, elementBytes: number): void {
  code.raw(opcode.localGet).unsigned(firstAddress + i)
  code.raw(opcode.localGet, parameters.from, opcode.i32Const).signed(Math.log2(elementBytes))
  code.raw(opcode.i32Shl, opcode.i32Add, opcode.localSet).unsigned(firstAddress + i)
}

/** Adds a constant to an integer local. */
export function advance(code: Bytes, local: number, by: number): void {
  code.raw(opcode.localGet).unsigned(local)
  code.raw(opcode.i32Const).signed(by)
  code.raw(opcode.i32Add, opcode.localSet).unsigned(local)
}

/** Ends a loop: subtracts a constant from an integer local, and loops while more than 0 remains. */
export function repeat(code: Bytes, remaining: number, by: number): void {
  code.raw(opcode.localGet).unsigned(remaining)
  code.raw(opcode.i32Const).signed(by)
  code.raw(opcode.i32Sub, opcode.localTee).unsigned(remaining)
  code.raw(opcode.i32Const, 0, opcode.i32GtS, opcode.brIf, 0, opcode.end)
}

/** Locals by the names of the graph. */
interface Locals {
  readonly addresses: Readonly<Record<string, number>>
  readonly coefficients: Readonly<Record<string, number>>
  /** The flush thresholds of running averages. */
  readonly thresholds: ReadonlyMap<string, number>
}

type Outputs = readonly (readonly [array: string, term: Term])[]

/** Writes the computation of one vector of each array, `offset` bytes after the addresses. */
function writeIteration(asm: Assembler, locals: Locals, offset: number, outputs: Outputs): void {
  const operands = {
    array(name: string) {
      asm.get(locals.addresses[name])
      asm.memory('load', offset)
    },
    coefficient: (name: string) => asm.get(locals.coefficients[name]),
  }
  const terms = outputs.map(([, term]) => term)
  const body = new TermWriter(asm, operands, terms)
  // All results before the first store: an output may read an array that another output writes.
  const results = outputs.map(([array, term]) => {
    body.push(term)
    const threshold = locals.thresholds.get(array)
    if (threshold !== undefined) flushToZero(asm, threshold)
    const result = asm.local()
    asm.set(result)
    return { array, result }
  })
  for (const { array, result } of results) {
    asm.get(locals.addresses[array])
    asm.get(result)
    asm.memory('store', offset)
  }
}

/** Replaces magnitudes below a threshold on top of the stack by zero; NaN stays. */
function flushToZero(asm: Assembler, threshold: number): void {
  const value = asm.local()
  asm.set(value)
  asm.constant(0)
  asm.get(value)
  asm.get(value)
  asm.operation('abs')
  asm.get(threshold)
  asm.operation('lt')
  asm.select()
}
