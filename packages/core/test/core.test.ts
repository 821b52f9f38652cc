import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectClose } from '../../testing/src/tolerance.ts'
import {
  adam,
  allRules,
  canonical,
  centralizeRows,
  classNameOf,
  defineKernel,
  defineRule,
  diffGrad,
  diffMod,
  diffRGrad,
  euclideanNorm,
  histogram,
  type Kernel,
  noDecayOnBiasAndNorm,
  operands,
  optionTextOf,
  radam,
  rangeOf,
  ruleKernels,
  sgd,
  stepKernels,
  trace,
  type UpdateRule,
  updateKernels,
} from '../src/index.ts'

const update = (decay: 'none' | 'l2' | 'decoupled'): Kernel =>
  ruleKernels(diffGrad, diffGrad.defaults, { variant: { friction: 0 }, decay }).update

test('has no dependencies', () => {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  expect([dependencies, peerDependencies]).toEqual([undefined, undefined])
})

test('the nodes of a graph are unique and in topological order', () => {
  const { nodes } = trace(update('l2'))
  const seen = new Set<unknown>()
  for (const node of nodes) {
    for (const operand of operands(node)) expect(seen.has(operand)).toBe(true)
    seen.add(node)
  }
  expect(seen.size).toBe(nodes.length)
  const texts = nodes.map((node) => JSON.stringify(node))
  expect(new Set(texts).size).toBe(nodes.length)
})

test('a common subexpression is computed once, and dead code is dropped', () => {
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

test('graphs have equal canonical texts if and only if their equations are equal', () => {
  expect(canonical(trace(update('l2')))).toBe(canonical(trace(update('l2'))))
  const texts = (['none', 'l2', 'decoupled'] as const).map((decay) =>
    canonical(trace(update(decay))),
  )
  expect(new Set(texts).size).toBe(3)
})

test('a rule with a reserved state name throws', () => {
  for (const name of ['slow', 'ema', 'gradient']) {
    const rule = { ...adam, name: 'clash', stateNames: () => [name] }
    expect(() => defineRule(rule)).toThrow(new TypeError(`clash: the name ${name} is reserved`))
  }
})

test('a rule with two values of one name throws', () => {
  const doubled = { ...diffGrad, name: 'doubled', intermediates: ['m'] }
  expect(() => defineRule(doubled)).toThrow(new TypeError('doubled: two values are called m'))
})

test('a histogram counts every value exactly once', () => {
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
  expect(() => histogram([1], [1, 1])).toThrow(/edges must be at least two increasing numbers/)
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
  if (typeof parameters !== 'function') throw new TypeError('the selector is no function')
  expect(parameters({ name, ...(shape && { shape }) })).toBe(exempt)
})

test('every variant of a rule has its update kernel', () => {
  const graphs = (rule: UpdateRule): number =>
    new Set(updateKernels(rule).map((kernel) => canonical(trace(kernel)))).size
  // For each of three kinds of decay: plain, momentum, Nesterov; with or without AMSGrad; three phases;
  // four ξ; four ξ in the rectified phase, and the two others; four ξ, with averageStep or without.
  const counts = [sgd, adam, radam, diffGrad, diffRGrad, diffMod].map(graphs)
  expect(counts).toEqual([9, 6, 9, 12, 18, 24])
})

test('the step kernels at step t are the variant of that step', () => {
  expect(stepKernels(radam, radam.defaults, 5).coefficients.stepSize).toBe(1e-3 / (1 - 0.9 ** 5))
  const [fifth, sixth] = [5, 6].map((t) => trace(stepKernels(radam, radam.defaults, t).update))
  expect(fifth.nodes.some(({ op }) => op === 'sqrt')).toBe(false)
  expect(sixth.nodes.some(({ op }) => op === 'sqrt')).toBe(true)
})

test('the class names of rules begin with a capital letter', () => {
  expect([diffGrad, sgd, adam].map(classNameOf)).toEqual(['DiffGrad', 'SGD', 'Adam'])
})

test.each(allRules)('every option of $name is described for forms and command lines', (rule) => {
  for (const option of Object.keys(rule.defaults)) {
    const { choices } = rangeOf(rule, option)
    const { description, labels = {} } = optionTextOf(rule, option)
    expect(description, option).toMatch(/^[\p{L}\d(][^.]{2,}$/u)
    expect((choices ?? []).map(String)).toEqual(expect.arrayContaining(Object.keys(labels)))
  }
})

test.each(allRules)('docs/rule.md has a row and the equations of $name', ({ name }) => {
  const text = readFileSync(new URL('../../../docs/rule.md', import.meta.url), 'utf8')
  expect(text).toMatch(new RegExp(`^\\*\\*.*\\b${name}\\b.*\\*\\*`, 'm'))
  expect(text).toMatch(new RegExp(`^\\| .*\\b${name}\\b.*\\|$`, 'm'))
})

test.each([
  [[], 0],
  [[3, -4], 5],
  [[1e200, -1e200], Math.SQRT2 * 1e200],
  [[1e-200, 1e-200], Math.SQRT2 * 1e-200],
  [[1, Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY],
])('the Euclidean norm of %j is %s', (elements, norm) => {
  expectClose(euclideanNorm(elements), norm, { relative: 1e-15 })
})

test('centralized rows have a mean of zero', () => {
  const elements = [1, 2, 6, -1, 0, 1]
  centralizeRows(elements, 2)
  expect(elements).toEqual([-2, -1, 3, -1, 0, 1])
})
