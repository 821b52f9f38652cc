/** A field of a protobuf message: text, bytes or a message; a double; a float; a whole number. */
type Field =
  | string
  | Uint8Array
  | { readonly double: number }
  | { readonly float: number }
  | { readonly integer: number }
  | { readonly doubles: readonly number[] }

/** A message of fields by their numbers. @see https://protobuf.dev/programming-guides/encoding */
export const message = (fields: readonly (readonly [number: number, value: Field])[]): Uint8Array =>
  Buffer.concat(fields.flatMap(([number, value]) => encoded(number, value)))

function encoded(number: number, value: Field): readonly Uint8Array[] {
  const [varyingLength, wide, narrow, varint] = [2, 1, 5, 0]
  if (typeof value === 'string') return encoded(number, Buffer.from(value))
  if (value instanceof Uint8Array)
    return [tag(number, varyingLength), varintOf(value.length), value]
  if ('double' in value) return [tag(number, wide), doubles([value.double])]
  if ('doubles' in value) return encoded(number, doubles(value.doubles))
  if ('float' in value) {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value.float)
    return [tag(number, narrow), bytes]
  }
  return [tag(number, varint), varintOf(value.integer)]
}

const tag = (number: number, wireType: number): Uint8Array => varintOf((number << 3) | wireType)

function doubles(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [i, value] of values.entries()) bytes.writeDoubleLE(value, 8 * i)
  return bytes
}

/** Seven bits a byte, the lowest first. */
function varintOf(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Uint8Array.of(...bytes, rest)
}
