/** IEEE binary16 bits as a number: (−1)ˢ · 2ᵉ⁻¹⁵ · 1.f, subnormal where e = 0, infinite or NaN where e = 31. */
export function widenFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const word = new DataView(new ArrayBuffer(4))

/** bfloat16 bits as a number: they are the upper half of a binary32. */
export function widenBfloat16(bits: number): number {
  word.setUint32(0, (bits & 0xffff) * 0x10000)
  return word.getFloat32(0)
}
