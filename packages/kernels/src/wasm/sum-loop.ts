import type { Graph } from '@diffgrad/core'
import type { ByteArray, Dtype } from '../typed-arrays.ts'
import { Assembler, Bytes, opcode, v128, valueType } from './assembler.ts'
import {
  advance,
  coefficientOffset,
  firstAddress,
  loadAddress,
  padding,
  parameters,
  repeat,
  shiftAddress,
} from './loop.ts'
import { lower, type Term } from './lowering.ts'
import { kernelModule } from './module.ts'
import { simdTypes } from './simd.ts'
import { TermWriter } from './term-writer.ts'

/** How many elements are added before their sum is stored: whatever the threads and the staging. */
export const sumBlock = 8192

/** The bytes of a stored sum. */
export const sumBytes = 8

/** A written array, the term of its value, or of the square root of its value if it is squared. */
type Output = readonly [array: string, term: Term, isSquared: boolean]

/**
 * Compiles a graph to a WebAssembly module as `kernelBytes` does, but the function stores sums of what the graph
 * writes: one float64 for each block of `sumBlock` elements, from the address of the written array on. The first
 * element of a call must be a multiple of `sumBlock`. Values are computed in the precision of the arrays, but
 * squared and added in double precision, so that squares neither overflow nor become subnormal.
 */
export function sumKernelBytes(
  graph: Graph,
  { dtype, shared }: { readonly dtype: Dtype; readonly shared: boolean },
): ByteArray {
  const { arrays, coefficients, writes } = graph
  const simd = simdTypes[dtype]
  const addresses = Object.fromEntries(arrays.map((name, i) => [name, firstAddress + i]))
  const rest = firstAddress + arrays.length
  const asm = new Assembler(simd, false, rest + 1)
  const splats = Object.fromEntries(
    coefficients.map((name, i) => [
      name,
      asm.splat(parameters.argumentsAt, coefficientOffset(arrays.length) + i * simd.bytes),
    ]),
  )
  const outputs = lower(graph).map(([name, term]): Output => {
    return term.op === 'mul' && term.a === term.b ? [name, term.a, true] : [name, term, false]
  })
  // Sums of independent lanes do not wait for each other.
  const sums = outputs.map(() => Array.from({ length: padding / 2 }, () => asm.local()))
  for (let k = 0; k < padding / simd.lanes; k++) {
    const offset = k * simd.lanes * simd.bytes
    const operands = {
      array(name: string) {
        asm.get(addresses[name])
        asm.memory('load', offset)
      },
      coefficient: (name: string) => asm.get(splats[name]),
    }
    const writer = new TermWriter(
      asm,
      operands,
      outputs.map(([, term]) => term),
    )
    for (const [i, [, term, isSquared]] of outputs.entries()) {
      writer.push(term)
      const doubles = asm.doubles()
      for (const [half, double] of doubles.entries()) {
        const sum = sums[i][k * doubles.length + half]
        asm.get(sum)
        asm.get(double)
        if (isSquared) {
          asm.get(double)
          asm.double('mul')
        }
        asm.double('add')
        asm.set(sum)
      }
    }
  }
  const code = new Bytes().append(asm.prologue)
  for (const [i, name] of arrays.entries()) {
    loadAddress(code, i)
    if (!writes.has(name)) shiftAddress(code, i, simd.bytes)
    else {
      code.raw(opcode.localGet).unsigned(firstAddress + i)
      code.raw(opcode.localGet, parameters.from)
      code.raw(opcode.i32Const).signed(Math.log2(sumBlock / sumBytes))
      code.raw(opcode.i32ShrU, opcode.i32Add, opcode.localSet).unsigned(firstAddress + i)
    }
  }
  code.raw(opcode.loop, valueType.none)
  for (const sum of sums.flat()) {
    code.raw(opcode.simd, v128.const, ...new Uint8Array(16), opcode.localSet).unsigned(sum)
  }
  // rest ← min(count, sumBlock)
  code.raw(opcode.localGet, parameters.count, opcode.i32Const).signed(sumBlock)
  code.raw(opcode.localGet, parameters.count, opcode.i32Const).signed(sumBlock)
  code.raw(opcode.i32LtS, opcode.select, opcode.localSet).unsigned(rest)
  code.raw(opcode.loop, valueType.none).append(asm.body)
  for (const name of graph.reads) advance(code, addresses[name], padding * simd.bytes)
  repeat(code, rest, padding)
  for (const [i, [name]] of outputs.entries()) {
    code.raw(opcode.localGet).unsigned(addresses[name])
    for (const [k, sum] of sums[i].entries()) {
      code.raw(opcode.localGet).unsigned(sum)
      if (k > 0) code.raw(opcode.simd).unsigned(simdTypes.float64.opcodes.add)
    }
    const [total] = sums[i]
    code.raw(opcode.localTee).unsigned(total).raw(opcode.simd, v128.extractDouble, 0)
    code.raw(opcode.localGet).unsigned(total).raw(opcode.simd, v128.extractDouble, 1)
    code.raw(opcode.f64Add, opcode.f64Store, 3, 0)
    advance(code, addresses[name], sumBytes)
  }
  repeat(code, parameters.count, sumBlock)
  return kernelModule({ integers: arrays.length + 1, vectors: asm.vectors }, code, shared)
}
