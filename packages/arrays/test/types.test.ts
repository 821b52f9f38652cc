import { expect, expectTypeOf, test } from 'vitest'
import { Adam, type ArraysOptimizer, allocate, DiffGrad, SGD } from '../src/index.ts'

const w = (): Float32Array => Float32Array.of(1, 2)

test('names of parameters and hyperparameters are typed', () => {
  const optimizer = new DiffGrad({ weights: w(), bias: w() }, { learningRate: undefined })
  // @ts-expect-error -- no parameter has this name.
  expect(() => optimizer.step({ typo: w() })).toThrow('no parameter is called typo')
  // @ts-expect-error
  expect(() => optimizer.hyperparameters('typo')).toThrow('no parameter is called typo')
  // @ts-expect-error
  expect(() => optimizer.state('typo')).toThrow('no parameter is called typo')
  // @ts-expect-error
  expect(() => optimizer.set({ learningRate: 1 }, ['typo'])).toThrow('typo')
  expectTypeOf(optimizer.hyperparameters('bias').beta1).toEqualTypeOf<number>()
  expectTypeOf(optimizer.hyperparameters).parameter(0).toEqualTypeOf<'weights' | 'bias'>()
})

test('an inspection has the intermediates of the rule, of the parameters with a gradient', () => {
  const inspection = new DiffGrad({ weights: w(), bias: w() }).inspect({ weights: w() })
  expectTypeOf(inspection.xi.weights).toEqualTypeOf<Float32Array | Float64Array>()
  expect(inspection.xi.weights).toHaveLength(2)
  // @ts-expect-error -- it had no gradient.
  expect(inspection.xi.bias).toBeUndefined()
  // @ts-expect-error -- Adam has no intermediates.
  expect(new Adam({ weights: w() }).inspect({ weights: w() }).xi).toBeUndefined()
})

test('lists of pairs and Maps have names, too', () => {
  const pairs = new SGD([['a', w()]])
  expectTypeOf(pairs.state).parameter(0).toEqualTypeOf<'a'>()
  const map = new SGD(new Map([['a', w()]]))
  expectTypeOf(map.state).parameter(0).toEqualTypeOf<string>()
  const { parameters } = allocate({ a: [2] })
  expectTypeOf(new SGD(parameters).state).parameter(0).toEqualTypeOf<'a'>()
  expect([pairs, map].map((optimizer) => optimizer.step([['a', w()]]))).toEqual([
    'updated',
    'updated',
  ])
})

test('options take undefined, and an optimizer of some names is one of any', () => {
  const general: ArraysOptimizer = new Adam(
    { a: w() },
    { kernel: undefined, threads: undefined, clip: undefined, groups: undefined, beta1: undefined },
  )
  general.add({ b: w() }, { learningRate: undefined })
  expect(general.step({ b: w() })).toBe('updated')
  expect(allocate({ a: [1] }, { dtype: undefined, shared: undefined }).parameters.a).toHaveLength(1)
})
