import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { matrixProductsSource } from '../scripts/matrix-products.ts'
import { instantiateMatrixProducts } from '../src/matrix-products.ts'

test('the generated file is up to date with scripts/matrix-products.ts', async () => {
  const path = new URL('../src/generated/matrix-products.ts', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(await matrixProductsSource())
})

const sizes = [1, 3, 4, 5, 8, 13, 21].flatMap((columns) =>
  [1, 2, 4, 7].flatMap((rows) => [1, 6].map((steps) => ({ rows, columns, steps }))),
)

// Products and sums of small integers are exact.
test.each([true, false])('products of all sizes, in shared memory: %s', (shared) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared })
  const { addMatrixProduct, addElementwiseProduct } = instantiateMatrixProducts(memory)
  const [a, b, c] = [0, 4096, 8192].map((begin) => new Float32Array(memory.buffer, begin, 1024))
  for (const { rows, columns, steps } of sizes) {
    const fill = (): void => {
      for (const [k, array] of [a, b, c].entries()) {
        for (let i = 0; i < array.length; i++) array[i] = ((i * 37 + 11 * k) % 23) - 11
      }
    }
    fill()
    const before = c.slice()
    const [bRow, cRow] = [columns + 2, columns + 3]
    addMatrixProduct(8192, 4 * cRow, 0, 4 * steps, 4, 4096, 4 * bRow, rows, columns, steps)
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
    addElementwiseProduct(8192, 0, 0, 4 * columns, 4096, 4 * bRow, columns, steps)
    const sums = before.slice()
    for (let k = 0; k < steps; k++) {
      for (let n = 0; n < columns; n++) sums[n] += a[k * columns + n] * b[k * bRow + n]
    }
    expect(c).toEqual(sums)
  }
})
