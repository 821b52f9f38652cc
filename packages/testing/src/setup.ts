import fc from 'fast-check'
import { expect } from 'vitest'
import { testSeed } from './seed.ts'

// Property tests draw the same cases on every push; SEED draws others.
fc.configureGlobal({ seed: testSeed(1) })

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

// Typed arrays of one class with the same bytes are equal. `toEqual` alone compares a million elements for
// seconds; it still compares, and prints, those that differ.
expect.addEqualityTesters([
  (a: unknown, b: unknown): true | undefined => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined
    if (a.constructor !== b.constructor || a.byteLength !== b.byteLength) return undefined
    return (a.byteLength > 0 && bytesOf(a).equals(bytesOf(b))) || undefined
  },
])
