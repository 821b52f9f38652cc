import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  adam,
  canonical,
  defineKernel,
  defineRule,
  diffGrad,
  histogram,
  type Kernel,
  noDecayOnBiasAndNorm,
  ruleKernels,
  trace,
} from '../src/index.ts'

const update = (decay: 'none' | 'l2' | 'decoupled'): Kernel =>
  ruleKernels(diffGrad, diffGrad.defaults, { form: { friction: 0 }, decay }).update

test('imports nothing', () => {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  expect([dependencies, peerDependencies]).toEqual([undefined, undefined])
})

test('a traced expression has no node twice, and operands before their use', () => {
  const { nodes } = trace(update('l2'))
  const seen = new Set<unknown>()
  for (const node of nodes) {
    for (const operand of 'b' in node ? [node.a, node.b] : 'a' in node ? [node.a] : []) {
      expect(seen.has(operand)).toBe(true)
    }
    seen.add(node)
  }
  expect(seen.size).toBe(nodes.length)
  const described = nodes.map((node) => JSON.stringify(node))
  expect(new Set(described).size).toBe(nodes.length)
})

test('the same product, written twice, is computed once, and what nobody needs not at all', () => {
  const kernel = defineKernel({
    name: 'twice',
    reads: ['a', 'b', 'unused'],
    writes: ['out'],
    coefficients: [],
    evaluate({ add, mul, exp }, { a, b, unused }) {
      exp(unused)
      return { out: add(mul(a, b), mul(a, b)) }
    },
  })
  const { nodes, arrays } = trace(kernel)
  expect(nodes.map(({ op }) => op)).toEqual(['array', 'array', 'mul', 'add'])
  expect(arrays).toEqual(['a', 'b', 'out'])
})

test('equations, and nothing else, decide the canonical text', () => {
  expect(canonical(trace(update('l2')))).toBe(canonical(trace(update('l2'))))
  const texts = (['none', 'l2', 'decoupled'] as const).map((decay) =>
    canonical(trace(update(decay))),
  )
  expect(new Set(texts).size).toBe(3)
})

test('a rule cannot take a name that the optimizer needs', () => {
  const greedy = { ...adam, name: 'greedy', slots: () => ['slow'] }
  expect(() => defineRule(greedy)).toThrow(new TypeError('greedy: the name slow is reserved'))
})

test('a rule cannot give one name to two of its values', () => {
  const doubled = { ...diffGrad, name: 'doubled', inner: ['m'] }
  expect(() => defineRule(doubled)).toThrow(new TypeError('doubled: two values are called m'))
})

test('a histogram counts every value once', () => {
  const numbers = fc.array(fc.double(), { minLength: 1 })
  const edges = fc
    .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 2 })
    .map((list) => list.map((x) => (x === 0 ? 0 : x)).toSorted((a, b) => a - b))
    .filter((list) => list.every((x, i) => i === 0 || x > list[i - 1]))
  fc.assert(
    fc.property(numbers, edges, (values, edges) => {
      const { counts, outside } = histogram(values, edges)
      for (const [i, n] of counts.entries()) {
        expect(n).toBe(values.filter((x) => edges[i] <= x && x < edges[i + 1]).length)
      }
      expect(counts.reduce((a, b) => a + b, outside)).toBe(values.length)
    }),
  )
  expect(() => histogram([1], [1, 1])).toThrow(/edges must be at least two rising numbers/)
})

test.each([
  ['encoder.bias', undefined, true],
  ['layer_norm.weight', undefined, true],
  ['bn1.weight', undefined, true],
  ['conv2d_1/kernel', undefined, false],
  ['normal_weights', undefined, false],
  ['dense/bias:0', undefined, true],
  ['hiddenBias', undefined, true],
  ['b1', undefined, true],
  ['transformer.ln_f.weight', undefined, true],
  ['embedding.weight', undefined, false],
  ['block1.conv', undefined, false],
  ['anything', [8], true],
  ['anything', [8, 4], false],
])('no decay on %s of shape %s: %s', (name, shape, exempt) => {
  const { parameters } = noDecayOnBiasAndNorm
  if (typeof parameters !== 'function') throw new TypeError('a function decides')
  expect(parameters({ name, ...(shape && { shape }) })).toBe(exempt)
})
