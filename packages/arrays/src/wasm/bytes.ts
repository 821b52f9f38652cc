/** A growing sequence of bytes, in the encodings of the WebAssembly binary format. */
export class Bytes {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  /** Bytes as they are. */
  raw(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes)
    return this
  }

  /** A whole number from 0 to 2³² − 1, seven bits a byte (LEB128). */
  unsigned(value: number): this {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.raw((rest % 128) | 128)
    return this.raw(rest)
  }

  /** A 32-bit integer, seven bits a byte, the last of which carries the sign. */
  signed(value: number): this {
    let rest = value
    for (; rest < -64 || rest >= 64; rest >>= 7) this.raw((rest & 127) | 128)
    return this.raw(rest & 127)
  }

  /** A name in ASCII, after its length. */
  name(text: string): this {
    return this.sized(new Bytes().raw(...Array.from(text, (letter) => letter.charCodeAt(0))))
  }

  append(other: Bytes): this {
    for (const byte of other.#bytes) this.#bytes.push(byte)
    return this
  }

  /** Other bytes, after their number. */
  sized(content: Bytes): this {
    return this.unsigned(content.length).append(content)
  }

  toUint8Array(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes)
  }
}
