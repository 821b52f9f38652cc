import type { Value } from '../../../src/ir/graph.ts'
import { apply } from '../../../src/ops/apply.ts'
import type { Case } from '../check.ts'

const gemm = (transA: number, transB: number, alpha: number, beta: number): Case => ({
  operator: 'Gemm',
  about: `transA ${transA}, transB ${transB}, α ${alpha}, β ${beta}`,
  inputs: (draw) => {
    const [m, k, n] = [draw.size(1, 5), draw.size(1, 5), draw.size(1, 5)]
    return [transA ? [k, m] : [m, k], transB ? [n, k] : [k, n], [n]]
  },
  build: (a: Value, b: Value, c: Value) =>
    apply('Gemm', [a, b, c], { transA, transB, alpha: { float: alpha }, beta: { float: beta } }),
})

const matMul = (
  about: string,
  left: (m: number, k: number) => readonly number[],
  right: (k: number, n: number) => readonly number[],
): Case => ({
  operator: 'MatMul',
  about,
  inputs: (draw) => {
    const [m, k, n] = [draw.size(1, 5), draw.size(2, 5), draw.size(1, 5)]
    return [left(m, k), right(k, n)]
  },
  build: (a: Value, b: Value) => apply('MatMul', [a, b]),
})

const einsums: readonly Case[] = (
  [
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 2]],
    ['bhid,bhjd->bhij', [1, 2, 3, 4], [1, 2, 2, 4]],
    ['...ij,...kj', [2, 3, 4], [2, 2, 4]],
    ['...i,...i->...', [2, 1, 3], [2, 4, 3]],
    ['ij->ji', [3, 4]],
    ['ij->j', [3, 4]],
    ['ij,k->i', [3, 4], [2]],
    ['i,j,k->kij', [2], [3], [4]],
    ['ii->i', [3, 3]],
    ['bii,bj->j', [2, 3, 3], [2, 4]],
    ['ij,jk', [3, 1], [2, 4]],
    ['ij,ij->', [3, 2], [3, 2]],
  ] as readonly (readonly [string, ...(readonly number[])[]])[]
).map(([equation, ...shapes]) => ({
  operator: 'Einsum',
  about: equation,
  inputs: () => shapes,
  build: (...inputs: Value[]) => {
    const [first, ...rest] = inputs
    if (!first) throw new TypeError('must have an input')
    return apply('Einsum', [first, ...rest], { equation })
  },
}))

/** Matrix products. */
export const matrixCases: readonly Case[] = [
  gemm(0, 0, 1, 1),
  gemm(0, 1, 1, 1),
  gemm(1, 0, 0.5, 1),
  gemm(1, 1, 1, 0.3),
  {
    operator: 'Gemm',
    about: 'C absent',
    inputs: (draw) => [
      [draw.size(1, 4), 3],
      [3, draw.size(1, 4)],
    ],
    build: (a: Value, b: Value) => apply('Gemm', [a, b]),
  },
  matMul(
    'matrices',
    (m, k) => [m, k],
    (k, n) => [k, n],
  ),
  matMul(
    'a batch by one matrix',
    (m, k) => [2, 3, m, k],
    (k, n) => [k, n],
  ),
  matMul(
    'one matrix by a batch',
    (m, k) => [m, k],
    (k, n) => [3, k, n],
  ),
  matMul(
    'batches of equal shape',
    (m, k) => [2, 3, m, k],
    (k, n) => [2, 3, k, n],
  ),
  matMul(
    'batches that broadcast',
    (m, k) => [2, 1, m, k],
    (k, n) => [3, k, n],
  ),
  matMul(
    'a vector by a matrix',
    (_m, k) => [k],
    (k, n) => [k, n],
  ),
  matMul(
    'a batch by a vector',
    (m, k) => [2, m, k],
    (k) => [k],
  ),
  ...einsums,
  matMul(
    'two vectors',
    (_m, k) => [k],
    (k) => [k],
  ),
]
