import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

// Generates the WebAssembly of src/matrix-products.ts: `pnpm --filter @diffgrad/tfjs-wasm-gradients generate`.

/** A variant of the inner loop, by how many columns of a matrix it computes at a time. */
interface ColumnBlock {
  readonly columns: number
  readonly type: 'v128' | 'f32'
  readonly lanes: 'f32x4' | 'f32'
  /** The instruction that loads one number into every lane. */
  readonly splat: string
  /** The offsets of the vectors of one row, in bytes. */
  readonly offsets: readonly number[]
}

const simd = { type: 'v128', lanes: 'f32x4', splat: 'v128.load32_splat' } as const
const columnBlocks: readonly ColumnBlock[] = [
  { columns: 8, ...simd, offsets: [0, 16] },
  { columns: 4, ...simd, offsets: [0] },
  { columns: 1, type: 'f32', lanes: 'f32', splat: 'f32.load', offsets: [0] },
]

const rows = [0, 1, 2, 3]

const get = (name: string): string => `(local.get $${name})`
const set = (name: string, value: string): string => `(local.set $${name} ${value})`
const sum = (a: string, b: string): string => `(i32.add ${a} ${b})`
const advance = (name: string, by: string): string => set(name, sum(get(name), by))
const bytes = (count: number): string => `(i32.const ${count})`
const parameters = (...names: readonly string[]): string =>
  names.map((name) => `(param $${name} i32)`).join(' ')

/**
 * C[r, n] += Σₖ A[r, k]·B[k, n] for one block of columns, four rows at a time, with their sums in
 * registers. If fewer than four rows are left, the last one is computed and stored repeatedly, with
 * the same result.
 */
function panel({ columns, type, lanes, splat, offsets }: ColumnBlock): string {
  const each = (text: (row: number, offset: number) => string): string =>
    rows.flatMap((row) => offsets.map((offset) => text(row, offset))).join('\n')
  const cells = each((row, offset) => `(local $sum${row}_${offset} ${type})`)
  const addresses = rows.map((row) => `(local $c${row} i32) (local $a${row} i32)`).join('\n')
  const nextRow = (row: number): string => `
    ${set(`c${row}`, get(`c${row - 1}`))}
    ${set(`a${row}`, get(`a${row - 1}`))}
    (if (i32.gt_s ${get('left')} ${bytes(row)})
      (then ${advance(`c${row}`, get('cRow'))} ${advance(`a${row}`, get('aRow'))}))`
  return `(func $panel${columns}
    ${parameters('c', 'cRow', 'a', 'aRow', 'aStep', 'b', 'bRow', 'left', 'steps')}
    ${cells}
    ${addresses}
    ${offsets.map((offset) => `(local $b${offset} ${type})`).join(' ')}
    (local $factor ${type}) (local $bHere i32) (local $k i32)
    (loop $blocks
      ${set('c0', get('c'))}
      ${set('a0', get('a'))}
      ${rows.slice(1).map(nextRow).join('')}
      ${each((row, offset) =>
        set(`sum${row}_${offset}`, `(${type}.load offset=${offset} align=4 ${get(`c${row}`)})`),
      )}
      ${set('bHere', get('b'))}
      ${set('k', get('steps'))}
      (loop $terms
        ${offsets
          .map((offset) =>
            set(`b${offset}`, `(${type}.load offset=${offset} align=4 ${get('bHere')})`),
          )
          .join('\n')}
        ${rows
          .map((row) => {
            const products = offsets.map((offset) => {
              const product = `(${lanes}.mul ${get('factor')} ${get(`b${offset}`)})`
              const cell = `sum${row}_${offset}`
              return set(cell, `(${lanes}.add ${get(cell)} ${product})`)
            })
            return `${set('factor', `(${splat} ${get(`a${row}`)})`)}
              ${advance(`a${row}`, get('aStep'))}
              ${products.join('\n')}`
          })
          .join('\n')}
        ${advance('bHere', get('bRow'))}
        (br_if $terms (local.tee $k (i32.sub ${get('k')} (i32.const 1)))))
      ${each(
        (row, offset) =>
          `(${type}.store offset=${offset} align=4 ${get(`c${row}`)} ${get(`sum${row}_${offset}`)})`,
      )}
      ${advance('c', `(i32.shl ${get('cRow')} (i32.const 2))`)}
      ${advance('a', `(i32.shl ${get('aRow')} (i32.const 2))`)}
      (br_if $blocks (i32.gt_s (local.tee $left (i32.sub ${get('left')} (i32.const 4)))
        (i32.const 0)))))`
}

/** Repeats code that advances by `columns` columns while that many are left. */
const whileColumns = (columns: number, names: readonly string[], code: string): string => `
  (block $done${columns}
    (loop $more${columns}
      (br_if $done${columns} (i32.lt_s ${get('columns')} (i32.const ${columns})))
      ${code}
      ${names.map((name) => advance(name, bytes(4 * columns))).join(' ')}
      ${set('columns', `(i32.sub ${get('columns')} (i32.const ${columns}))`)}
      (br $more${columns})))`

/** C[r, n] += Σₖ A[r, k]·B[k, n] */
const addMatrixProduct = `(func (export "addMatrixProduct")
  ${parameters('c', 'cRow', 'a', 'aRow', 'aStep', 'b', 'bRow', 'rows', 'columns', 'steps')}
  ${columnBlocks
    .map(({ columns }) =>
      whileColumns(
        columns,
        ['c', 'b'],
        `(call $panel${columns} ${['c', 'cRow', 'a', 'aRow', 'aStep', 'b', 'bRow', 'rows', 'steps']
          .map(get)
          .join(' ')})`,
      ),
    )
    .join('')})`

/** C[k, n] += A[k, n]·B[k, n] for k = 0, 1, … in order; a step of 0 keeps a matrix on one row. */
const addElementwiseProduct = `(func (export "addElementwiseProduct")
  ${parameters('c0', 'cStep', 'a0', 'aStep', 'b0', 'bStep', 'all', 'steps')}
  (local $a i32) (local $b i32) (local $c i32) (local $columns i32)
  (loop $rows
    ${['a', 'b', 'c'].map((name) => set(name, get(`${name}0`))).join(' ')}
    ${set('columns', get('all'))}
    ${columnBlocks
      .filter(({ offsets, columns }) => columns < 8 && offsets.length === 1)
      .map(({ columns, type, lanes }) =>
        whileColumns(
          columns,
          ['a', 'b', 'c'],
          `(${type}.store align=4 ${get('c')}
            (${lanes}.add (${type}.load align=4 ${get('c')})
              (${lanes}.mul (${type}.load align=4 ${get('a')}) (${type}.load align=4 ${get('b')}))))`,
        ),
      )
      .join('')}
    ${['a', 'b', 'c'].map((name) => advance(`${name}0`, get(`${name}Step`))).join(' ')}
    (br_if $rows (local.tee $steps (i32.sub ${get('steps')} (i32.const 1))))))`

/** A module that imports its memory: shared, as in the threaded build of the backend, or not. */
async function moduleBytes(shared: boolean): Promise<Uint8Array> {
  const memory = shared ? '(memory 0 65536 shared)' : '(memory 0)'
  const text = `(module (import "env" "memory" ${memory})
    ${columnBlocks.map(panel).join('\n')}
    ${addMatrixProduct}
    ${addElementwiseProduct})`
  const { parseWat } = await wabt()
  const module = parseWat('matrix-products.wat', text, { simd: true, threads: true })
  return module.toBinary({}).buffer
}

/** The text of src/generated/matrix-products.ts. */
export async function matrixProductsSource(): Promise<string> {
  const encode = async (shared: boolean): Promise<string> =>
    Buffer.from(await moduleBytes(shared)).toString('base64')
  return `// Generated by \`pnpm --filter @diffgrad/tfjs-wasm-gradients generate\` from scripts/matrix-products.ts.

/** A module for unshared memory, in base64. */
export const unsharedMemoryModule =
  '${await encode(false)}'

/** The same module for memory that several threads share. */
export const sharedMemoryModule =
  '${await encode(true)}'
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL('../src/generated/matrix-products.ts', import.meta.url)
  writeFileSync(path, await matrixProductsSource())
}
