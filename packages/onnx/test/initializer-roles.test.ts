import { expect, test } from 'vitest'
import {
  gradientModel,
  initializerRoles,
  type Model,
  meanSquaredError,
  tiedParameters,
} from '../src/index.ts'

const ones = (...shape: number[]) =>
  ({
    type: 'float32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
  }) as const

const node = (operator: string, inputs: string[], output: string, domain = '') => ({
  operator,
  domain,
  name: output,
  inputs,
  outputs: [output],
  attributes: new Map(),
})

const modelOf = (nodes: Model['nodes'], initializers: Record<string, ReturnType<typeof ones>>) => ({
  name: 'model',
  inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }] as const,
  outputs: [{ name: 'y', type: 'float32', shape: [2, 3] }] as const,
  nodes,
  initializers: new Map(Object.entries(initializers)),
  values: new Map(),
  domains: new Map([['com.example', 1]]),
})

const namesOf = (model: Model, frozen?: readonly RegExp[]) =>
  Object.fromEntries(
    Object.entries(initializerRoles(model, frozen)).map(([role, all]) => [role, [...all.keys()]]),
  )

const twoLayers = modelOf([node('MatMul', ['x', 'w1'], 'h'), node('MatMul', ['h', 'w2'], 'y')], {
  w1: ones(3, 3),
  w2: ones(3, 3),
})

test('a scalar is a constant', () => {
  const model = modelOf([node('MatMul', ['x', 'w'], 'h'), node('Mul', ['h', 'half'], 'y')], {
    w: ones(3, 3),
    half: ones(),
  })
  expect(namesOf(model)).toEqual({
    parameters: ['w'],
    statistics: [],
    frozen: [],
    constants: ['half'],
  })
})

test.each([/^w/, /^w/g, /w\d/y])('the pattern %s freezes every match, in every call', (pattern) => {
  for (const _ of [1, 2]) expect(namesOf(twoLayers, [pattern]).frozen).toEqual(['w1', 'w2'])
})

const normalized = (domain: string) =>
  modelOf(
    [node('BatchNormalization', ['x', 'scale', 'bias', 'mean', 'var'], 'y', domain)],
    Object.fromEntries(['scale', 'bias', 'mean', 'var'].map((name) => [name, ones(3)])),
  )

test('running statistics are those of a batch normalization, frozen with its scale', () => {
  const roles = { parameters: ['scale', 'bias'], statistics: ['mean', 'var'] }
  expect(namesOf(normalized(''))).toMatchObject(roles)
  expect(namesOf(normalized(''), [/bias/])).toMatchObject({
    statistics: ['mean', 'var'],
    frozen: ['bias'],
  })
  expect(namesOf(normalized(''), [/scale/])).toMatchObject({
    statistics: [],
    frozen: ['scale', 'mean', 'var'],
  })
})

/** As PyTorch 1.13 exports a linear layer with `torch.nn.utils.spectral_norm`; `u` and `v` are read by σ. */
const spectral = (dividend: string) =>
  modelOf(
    [
      node('Identity', ['weight_orig'], 'matrix'),
      node('MatMul', ['matrix', 'weight_v'], 'Wv'),
      node('MatMul', ['weight_u', 'Wv'], 'sigma'),
      node('Div', [dividend, 'sigma'], 'weight'),
      node('MatMul', ['x', 'weight'], 'y'),
    ],
    { weight_orig: ones(3, 3), other: ones(3, 3), weight_u: ones(3), weight_v: ones(3) },
  )

test('the vectors of a spectral norm are statistics, frozen with its weight', () => {
  expect(namesOf(spectral('weight_orig'))).toMatchObject({
    parameters: ['weight_orig', 'other'],
    statistics: ['weight_u', 'weight_v'],
  })
  expect(namesOf(spectral('weight_orig'), [/orig/])).toMatchObject({
    parameters: ['other'],
    statistics: [],
    frozen: ['weight_orig', 'weight_u', 'weight_v'],
  })
  expect(namesOf(spectral('other'))).toMatchObject({ statistics: [] })
})

test('an operator of another domain that is named BatchNormalization has no running statistics', () => {
  expect(namesOf(normalized('com.example')).statistics).toEqual([])
})

test('a gradient model has the parameters and statistics that the roles name', () => {
  const { parameters, statistics } = gradientModel(normalized(''), { loss: meanSquaredError() })
  const roles = initializerRoles(normalized(''))
  expect([...parameters.keys()]).toEqual([...roles.parameters.keys()])
  expect([...statistics.keys()]).toEqual([...roles.statistics.keys()])
})

test('parameters of equal elements that several nodes read are probably tied by the exporter', () => {
  const tensor = (data: number[]) =>
    ({ type: 'float32', shape: [data.length], data: Float32Array.from(data) }) as const
  const node = (operator: string, inputs: string[], output: string) => ({
    operator,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(),
  })
  const tied = tiedParameters({
    name: 'ties',
    inputs: [{ name: 'x', type: 'float32', shape: [2] }],
    outputs: [{ name: 'd', type: 'float32', shape: [2] }],
    nodes: [
      node('Add', ['x', 'zeros'], 'a'),
      node('Mul', ['a', 'embedding'], 'b'),
      node('Mul', ['b', 'embedding'], 'c'),
      node('Add', ['c', 'zeros'], 'e'),
      node('Add', ['e', 'once'], 'd'),
    ],
    initializers: new Map([
      ['zeros', tensor([0, 0])],
      ['embedding', tensor([1, 2])],
      ['once', tensor([0, 0])],
    ]),
    values: new Map(),
    domains: new Map(),
  })
  expect([...tied]).toEqual([['zeros', 2]])
})
