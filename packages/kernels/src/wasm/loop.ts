import type { Graph } from '@diffgrad/core'
import type { ByteArray, Dtype } from '../typed-arrays.ts'
import { Assembler, Bytes, opcode, valueType } from './assembler.ts'
import { exponential, logistic } from './exp.ts'
import { runningAverages } from './flush.ts'
import { lower, operandsOf, type Term } from './lowering.ts'
import { kernelModule } from './module.ts'
import { simdTypes } from './simd.ts'

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
const parameters = { argumentsAt: 0, from: 1, count: 2 } as const
const firstAddress = 3

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
  for (const [i, address] of addresses.entries()) {
    code.raw(opcode.localGet, parameters.argumentsAt, opcode.i32Load, 2).unsigned(4 * i)
    code.raw(opcode.localGet, parameters.from, opcode.i32Const).signed(Math.log2(simd.bytes))
    code.raw(opcode.i32Shl, opcode.i32Add, opcode.localSet).unsigned(address)
  }
  code.raw(opcode.localGet, parameters.count, opcode.i32Eqz)
  code.raw(opcode.if, valueType.none, opcode.return, opcode.end)
  code.raw(opcode.loop, valueType.none).append(asm.body)
  for (const address of addresses) {
    code.raw(opcode.localGet).unsigned(address)
    code.raw(opcode.i32Const).signed(unroll * vectorBytes)
    code.raw(opcode.i32Add, opcode.localSet).unsigned(address)
  }
  code.raw(opcode.localGet, parameters.count, opcode.i32Const).signed(unroll * simd.lanes)
  code.raw(opcode.i32Sub, opcode.localTee, parameters.count)
  code.raw(opcode.i32Const, 0, opcode.i32GtS, opcode.brIf, 0, opcode.end)
  return kernelModule(arrays.length, asm.vectors, code, variant.shared)
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
  const body = new LoopBody(asm, locals, offset, outputs)
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

type Product = Term & { readonly op: 'mul' }

/** Writes terms for one vector of each array. A term that is used again is kept in a local. */
class LoopBody {
  readonly #asm: Assembler
  readonly #locals: Locals
  readonly #offset: number
  readonly #uses: ReadonlyMap<Term, number>
  readonly #computed = new Map<Term, number>()

  constructor(asm: Assembler, locals: Locals, offset: number, outputs: Outputs) {
    this.#asm = asm
    this.#locals = locals
    this.#offset = offset
    this.#uses = useCounts(outputs.map(([, term]) => term))
  }

  /** Pushes the value of a term. */
  push(term: Term): void {
    const computed = this.#computed.get(term)
    if (computed !== undefined) {
      this.#asm.get(computed)
      return
    }
    this.#compute(term)
    if (term.op === 'constant' || term.op === 'coefficient' || this.#uses.get(term) === 1) return
    const local = this.#asm.local()
    this.#computed.set(term, local)
    this.#asm.tee(local)
  }

  #compute(term: Term): void {
    const asm = this.#asm
    switch (term.op) {
      case 'constant':
        asm.constant(term.value)
        break
      case 'coefficient':
        asm.get(this.#locals.coefficients[term.name])
        break
      case 'array':
        asm.get(this.#locals.addresses[term.name])
        asm.memory('load', this.#offset)
        break
      case 'exp':
        exponential(asm, () => this.push(term.a))
        break
      case 'logistic':
        logistic(asm, () => this.push(term.a))
        break
      case 'whereNegative':
        this.#whereNegative(term.a, term.b)
        break
      case 'sign':
        this.#sign(term.a)
        break
      case 'add':
        this.#add(term.a, term.b)
        break
      case 'sub':
        this.#subtract(term.a, term.b)
        break
      default:
        for (const operand of operandsOf(term)) this.push(operand)
        asm.operation(term.op)
    }
  }

  #add(a: Term, b: Term): void {
    const [product, other] = this.#isFusible(a) ? [a, b] : [b, a]
    if (this.#isFusible(product)) {
      this.#asm.multiplyAdd(
        () => this.push(product.a),
        () => this.push(product.b),
        () => this.push(other),
      )
    } else {
      this.push(a)
      this.push(b)
      this.#asm.operation('add')
    }
  }

  #subtract(a: Term, b: Term): void {
    if (this.#isFusible(b)) {
      this.#asm.subtractProduct(
        () => this.push(a),
        () => this.push(b.a),
        () => this.push(b.b),
      )
    } else {
      this.push(a)
      this.push(b)
      this.#asm.operation('sub')
    }
  }

  /** Whether a term is a product with a single use, which the sum that uses it can fuse. */
  #isFusible(term: Term): term is Product {
    return term.op === 'mul' && this.#uses.get(term) === 1
  }

  #sign(x: Term): void {
    const asm = this.#asm
    this.push(x)
    const value = asm.local()
    asm.set(value)
    asm.constant(1)
    asm.constant(-1)
    asm.get(value)
    asm.get(value)
    asm.constant(0)
    asm.operation('lt')
    asm.select() // −1 where x < 0, else x.
    asm.constant(0)
    asm.get(value)
    asm.operation('lt')
    asm.select()
  }

  #whereNegative(x: Term, value: Term): void {
    this.push(value)
    this.#asm.constant(1)
    this.push(x)
    this.#asm.constant(0)
    this.#asm.operation('lt')
    this.#asm.select()
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

/** How many terms and outputs use each term. */
function useCounts(outputs: readonly Term[]): ReadonlyMap<Term, number> {
  const uses = new Map<Term, number>()
  const visit = (term: Term): void => {
    const before = uses.get(term) ?? 0
    uses.set(term, before + 1)
    if (before === 0) operandsOf(term).forEach(visit)
  }
  outputs.forEach(visit)
  return uses
}
