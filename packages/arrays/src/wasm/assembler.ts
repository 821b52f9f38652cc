import { Bytes } from './bytes.ts'
import { bitwise, type Operation, type SimdType } from './simd.ts'

/** Writes instructions that leave one vector on the stack. */
export type Push = () => void

const localGet = 0x20
const localSet = 0x21
const localTee = 0x22
const simdPrefix = 0xfd

/** Instructions of one kernel: what runs once before its loop, and what each turn of it does. */
export class Assembler {
  readonly lanes: SimdType
  readonly before: Bytes = new Bytes()
  readonly turn: Bytes = new Bytes()
  readonly #relaxed: boolean
  readonly #firstVector: number
  readonly #constants = new Map<number, number>()
  #vectors = 0

  /** @param firstVector - the index of the first local that may hold a vector. */
  constructor(lanes: SimdType, relaxed: boolean, firstVector: number) {
    this.lanes = lanes
    this.#relaxed = relaxed
    this.#firstVector = firstVector
  }

  /** How many locals hold vectors. */
  get vectors(): number {
    return this.#vectors
  }

  /** A new local for a vector. */
  local(): number {
    return this.#firstVector + this.#vectors++
  }

  get(local: number): void {
    this.turn.raw(localGet).unsigned(local)
  }

  set(local: number): void {
    this.turn.raw(localSet).unsigned(local)
  }

  /** Copies the top of the stack. */
  tee(local: number): void {
    this.turn.raw(localTee).unsigned(local)
  }

  operation(name: Operation): void {
    this.turn.raw(simdPrefix).unsigned(this.lanes.opcodes[name])
  }

  /** Of two vectors and a mask: the first where the mask is set, else the second. */
  select(): void {
    this.turn.raw(simdPrefix).unsigned(bitwise.select)
  }

  /** Loads or stores a vector, some bytes after the address on the stack. */
  memory(name: 'load' | 'store', offset: number): void {
    this.turn.raw(simdPrefix, bitwise[name], 4).unsigned(offset)
  }

  /** Shifts every lane's bits to the left. */
  shiftLeft(by: number): void {
    this.turn.raw(0x41).signed(by)
    this.operation('shl')
  }

  /** A number in every lane. */
  constant(value: number): void {
    const local = this.#constants.get(value) ?? this.local()
    if (!this.#constants.has(value)) {
      this.#constants.set(value, local)
      this.before.raw(simdPrefix, bitwise.constant).raw(...this.#everyLane(value))
      this.before.raw(localSet).unsigned(local)
    }
    this.get(local)
  }

  /** A new local that holds, in every lane, the number some bytes after an address. */
  splat(address: number, offset: number): number {
    const local = this.local()
    const { opcodes, bytes } = this.lanes
    this.before.raw(localGet).unsigned(address).raw(simdPrefix, opcodes.loadSplat)
    this.before.raw(Math.log2(bytes)).unsigned(offset).raw(localSet).unsigned(local)
    return local
  }

  /** a·b + c: rounded once in relaxed SIMD where the processor can, else twice. */
  multiplyAdd(a: Push, b: Push, c: Push): void {
    a()
    b()
    if (!this.#relaxed) this.operation('mul')
    c()
    this.operation(this.#relaxed ? 'relaxedMadd' : 'add')
  }

  /** c − a·b, likewise. */
  subtractProduct(c: Push, a: Push, b: Push): void {
    if (!this.#relaxed) c()
    a()
    b()
    if (!this.#relaxed) this.operation('mul')
    if (this.#relaxed) c()
    this.operation(this.#relaxed ? 'relaxedNmadd' : 'sub')
  }

  #everyLane(value: number): Uint8Array {
    const { bytes, count } = this.lanes
    const numbers = bytes === 4 ? new Float32Array(count) : new Float64Array(count)
    return new Uint8Array(numbers.fill(value).buffer)
  }
}
