import type { ByteArray } from '../typed-arrays.ts'
import { type Operation, type SimdType, simdTypes } from './simd.ts'

/** Instructions and types of the WebAssembly binary format, by their names in the specification. */
export const opcode = {
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  brIf: 0x0d,
  return: 0x0f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i32Const: 0x41,
  i32Eqz: 0x45,
  f64Store: 0x39,
  i32GtS: 0x4a,
  i32LtS: 0x48,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  f64Add: 0xa0,
  select: 0x1b,
  /** The prefix of all vector instructions. */
  simd: 0xfd,
} as const

export const valueType = { i32: 0x7f, v128: 0x7b, none: 0x40 } as const

/** Vector instructions on 128 bits of any type, behind the prefix `simd`. */
export const v128 = {
  load: 0x00,
  store: 0x0b,
  const: 0x0c,
  bitselect: 0x52,
  shuffle: 0x0d,
  promoteLow: 0x5f,
  extractDouble: 0x21,
} as const

/** A growing sequence of bytes, in the encodings of the WebAssembly binary format. */
export class Bytes {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  /** Appends bytes as they are. */
  raw(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes)
    return this
  }

  /** Appends an integer in [0, 2³²), seven bits a byte (LEB128). */
  unsigned(value: number): this {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.raw((rest % 128) | 128)
    return this.raw(rest)
  }

  /** Appends a signed 32-bit integer, seven bits a byte (LEB128). */
  signed(value: number): this {
    let rest = value
    for (; rest < -64 || rest >= 64; rest >>= 7) this.raw((rest & 127) | 128)
    return this.raw(rest & 127)
  }

  /** Appends an ASCII string with its length. */
  name(text: string): this {
    return this.sized(new Bytes().raw(...Array.from(text, (letter) => letter.charCodeAt(0))))
  }

  append(other: Bytes): this {
    for (const byte of other.#bytes) this.#bytes.push(byte)
    return this
  }

  /** Appends other bytes after their number. */
  sized(content: Bytes): this {
    return this.unsigned(content.length).append(content)
  }

  toUint8Array(): ByteArray {
    return Uint8Array.from(this.#bytes)
  }
}

/** Writes instructions that leave one vector on the stack. */
export type Push = () => void

/**
 * The vector instructions of one kernel. Methods append to `body`, the loop's body; constants and
 * splats are loaded once, in the `prologue` before the loop.
 */
export class Assembler {
  readonly simd: SimdType
  readonly prologue: Bytes = new Bytes()
  readonly body: Bytes = new Bytes()
  readonly #relaxed: boolean
  readonly #firstVector: number
  readonly #constants = new Map<number, number>()
  #vectors = 0

  /** @param firstVector - the index of the first local that may hold a vector. */
  constructor(simd: SimdType, relaxed: boolean, firstVector: number) {
    this.simd = simd
    this.#relaxed = relaxed
    this.#firstVector = firstVector
  }

  /** How many locals hold vectors. */
  get vectors(): number {
    return this.#vectors
  }

  /** Allocates a local for a vector. */
  local(): number {
    return this.#firstVector + this.#vectors++
  }

  get(local: number): void {
    this.body.raw(opcode.localGet).unsigned(local)
  }

  set(local: number): void {
    this.body.raw(opcode.localSet).unsigned(local)
  }

  /** Sets a local to the top of the stack, which stays there. */
  tee(local: number): void {
    this.body.raw(opcode.localTee).unsigned(local)
  }

  operation(name: Operation): void {
    this.body.raw(opcode.simd).unsigned(this.simd.opcodes[name])
  }

  /** Pops a, b and a mask; pushes a where the mask is set, else b. */
  select(): void {
    this.body.raw(opcode.simd).unsigned(v128.bitselect)
  }

  /** Loads or stores a vector `offset` bytes after the address on the stack. */
  memory(name: 'load' | 'store', offset: number): void {
    const alignment = 4 // 2⁴ bytes
    this.body.raw(opcode.simd, v128[name], alignment).unsigned(offset)
  }

  /** Pops a vector, and returns locals that hold its numbers as float64, two in each. */
  doubles(): readonly number[] {
    const value = this.local()
    this.set(value)
    if (this.simd === simdTypes.float64) return [value]
    return [0, 8].map((firstByte) => {
      this.get(value)
      if (firstByte > 0) {
        const bytes = Array.from({ length: 16 }, (_, i) => firstByte + (i % 8))
        this.get(value)
        this.body.raw(opcode.simd, v128.shuffle, ...bytes)
      }
      this.body.raw(opcode.simd, v128.promoteLow)
      const half = this.local()
      this.set(half)
      return half
    })
  }

  /** An operation on vectors of float64, whatever the type of this assembler. */
  double(name: 'add' | 'mul'): void {
    this.body.raw(opcode.simd).unsigned(simdTypes.float64.opcodes[name])
  }

  /** Shifts the bits of every lane to the left. */
  shiftLeft(by: number): void {
    this.body.raw(opcode.i32Const).signed(by)
    this.operation('shl')
  }

  /** Pushes a number in every lane. */
  constant(value: number): void {
    const local = this.#constants.get(value) ?? this.local()
    if (!this.#constants.has(value)) {
      this.#constants.set(value, local)
      this.prologue.raw(opcode.simd, v128.const, ...this.#everyLane(value))
      this.prologue.raw(opcode.localSet).unsigned(local)
    }
    this.get(local)
  }

  /** Allocates a local that holds, in every lane, the number `offset` bytes after an address. */
  splat(address: number, offset: number): number {
    const local = this.local()
    const { opcodes, bytes } = this.simd
    this.prologue.raw(opcode.localGet).unsigned(address)
    this.prologue.raw(opcode.simd, opcodes.loadSplat, Math.log2(bytes)).unsigned(offset)
    this.prologue.raw(opcode.localSet).unsigned(local)
    return local
  }

  /** Pushes a·b + c: relaxed SIMD rounds once where the processor can; plain SIMD rounds twice. */
  multiplyAdd(a: Push, b: Push, c: Push): void {
    a()
    b()
    if (!this.#relaxed) this.operation('mul')
    c()
    this.operation(this.#relaxed ? 'relaxedMadd' : 'add')
  }

  /** Pushes c − a·b, rounded like `multiplyAdd`. */
  subtractProduct(c: Push, a: Push, b: Push): void {
    if (!this.#relaxed) c()
    a()
    b()
    if (!this.#relaxed) this.operation('mul')
    if (this.#relaxed) c()
    this.operation(this.#relaxed ? 'relaxedNmadd' : 'sub')
  }

  #everyLane(value: number): Uint8Array {
    const { bytes, lanes } = this.simd
    const numbers = bytes === 4 ? new Float32Array(lanes) : new Float64Array(lanes)
    return new Uint8Array(numbers.fill(value).buffer)
  }
}
