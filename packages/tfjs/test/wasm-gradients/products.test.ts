import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { productsSource } from '../../scripts/products.ts'
import { productsOn } from '../../src/wasm-gradients/products.ts'

test('the module is what scripts/products.ts writes', async () => {
  const path = new URL('../../src/wasm-gradients/generated/products.ts', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(await productsSource())
})

const cases = [1, 3, 4, 5, 8, 13, 21].flatMap((columns) =>
  [1, 2, 4, 7].flatMap((rows) => [1, 6].map((steps) => ({ rows, columns, steps }))),
)

test.each([true, false])('products of all sizes, in memory that is shared: %s', (shared) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared })
  const { matrices, lanes } = productsOn(memory)
  const [a, b, c] = [0, 4096, 8192].map((begin) => new Float32Array(memory.buffer, begin, 1024))
  for (const { rows, columns, steps } of cases) {
    const fill = (): void => {
      for (const [k, array] of [a, b, c].entries()) {
        for (let i = 0; i < array.length; i++) array[i] = ((i * 37 + 11 * k) % 23) - 11
      }
    }
    fill()
    const before = c.slice()
    const [bRow, cRow] = [columns + 2, columns + 3]
    matrices(8192, 4 * cRow, 0, 4 * steps, 4, 4096, 4 * bRow, rows, columns, steps)
    const expected = before.slice()
    for (let r = 0; r < rows; r++) {
      for (let n = 0; n < columns; n++) {
        for (let k = 0; k < steps; k++) {
          expected[r * cRow + n] += a[r * steps + k] * b[k * bRow + n]
        }
      }
    }
    expect(c).toEqual(expected)

    fill()
    lanes(8192, 0, 0, 4 * columns, 4096, 4 * bRow, columns, steps)
    const sums = before.slice()
    for (let k = 0; k < steps; k++) {
      for (let n = 0; n < columns; n++) sums[n] += a[k * columns + n] * b[k * bRow + n]
    }
    expect(c).toEqual(sums)
  }
})
