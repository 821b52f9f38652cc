import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  add,
  type DifferentiateOptions,
  evaluationModel,
  gradientModel,
  inferenceModel,
  type Loss,
  type Model,
  meanSquaredError,
  mul,
  type Operation,
  readModel,
  reduceMean,
  seeded,
  sigmoid,
  square,
  staticShape,
  sub,
  type Value,
} from '../src/index.ts'
import { expectTensorClose, feedsOf, float, floats, session } from './session.ts'

const read = (name: string): Model =>
  readModel(readFileSync(new URL(`fixtures/${name}.onnx`, import.meta.url)))

const random = seeded(1)
const normal = (length: number) => Float32Array.from({ length }, () => random.normal())
const input = float(normal(16), [2, 8])
const target = float(normal(8), [2, 4])
const dimensions = { batch: 2 }

/** The operators of a gradient model, the loss and all gradients. */
async function differentiate(model: Model, options: Partial<DifferentiateOptions>) {
  const spec = { loss: meanSquaredError(), dimensions, ...options }
  const gradient = gradientModel(model, spec)
  const runner = await session(gradient.model)
  const results = await runner.run({ x: input, target, ...feedsOf(gradient.parameters) })
  return {
    operators: gradient.model.nodes.map(({ operator }) => operator),
    loss: floats(results, gradient.loss)[0] ?? Number.NaN,
    gradients: [...gradient.parameters.values()].map((one) => floats(results, one.gradient)),
  }
}

const alpha = 1.702

/** y = x·σ(αx), as standard operators */
const rewrite = (operation: Operation): readonly Value[] => {
  const x = operation.input(0)
  return [mul(x, sigmoid(mul(x, alpha)))]
}

/** ∂x = ∂y·σ(αx)·(1 + αx·(1 − σ(αx))) */
const gradient = (operation: Operation, dy: Value): readonly Value[] => {
  const x = mul(operation.input(0), alpha)
  const s = sigmoid(x)
  return [mul(dy, mul(s, add(mul(x, sub(1, s)), 1)))]
}

/** A model whose operator of the domain `me` is one that ONNX Runtime has: x·σ(1.702·x). */
const withQuickGelu = (model: Model): Model => ({
  ...model,
  nodes: model.nodes.map((node) =>
    node.domain === 'me' ? { ...node, domain: 'com.microsoft', operator: 'QuickGelu' } : node,
  ),
  domains: new Map([['com.microsoft', 1]]),
})

test.each(['custom_front', 'custom_mid'])(
  'a rewrite rule trains and runs %s, whose operator no runtime has',
  async (name) => {
    const model = read(name)
    const rewriteRules = { 'me.MyOp': rewrite }
    const { operators } = await differentiate(model, { rewriteRules })
    expect(operators).not.toContain('MyOp')
    const loss = meanSquaredError()
    const evaluation = evaluationModel(model, { loss, dimensions, rewriteRules })
    expect(evaluation.model.nodes.map(({ operator }) => operator)).not.toContain('MyOp')
    const forward = await session(inferenceModel(model, { dimensions, rewriteRules }))
    expect((await forward.run({ x: input })).y?.dims).toEqual([2, 4])
  },
)

test('without rules, an operator of another domain is refused by its name', () => {
  const options = { loss: meanSquaredError(), dimensions }
  const shapeRules = { 'me.MyOp': (operation: Operation) => [operation.input(0)] }
  expect(() => gradientModel(read('custom_mid'), options)).toThrow(
    'node "b" (me.MyOp): the operator has no shape rule',
  )
  expect(() => gradientModel(read('custom_mid'), { ...options, shapeRules })).toThrow(
    'node "b" (me.MyOp): the operator has no gradient rule; freeze "w1" to avoid it',
  )
})

test('a shape and a gradient rule give the gradients of the operator in standard form', async () => {
  const model = withQuickGelu(read('custom_mid'))
  const name = 'com.microsoft.QuickGelu'
  const expected = await differentiate(model, { rewriteRules: { [name]: rewrite } })
  const actual = await differentiate(model, {
    shapeRules: { [name]: (operation) => [operation.input(0)] },
    gradientRules: { [name]: gradient },
  })
  expect(actual.operators).toContain('QuickGelu')
  expect(actual.loss).toBeCloseTo(expected.loss, 6)
  for (const [i, values] of actual.gradients.entries())
    expectTensorClose(values, expected.gradients[i] ?? [], 1e-5)
})

test('rules of a standard operator come before those of the package', async () => {
  const gradientRules = { MatMul: () => [] }
  await expect(
    differentiate(read('custom_front'), {
      rewriteRules: { 'me.MyOp': rewrite },
      gradientRules,
    }),
  ).rejects.toThrow('must depend on a parameter')
})

test('a loss is written as its equation, with the graph operators', async () => {
  const loss: Loss = (outputs) => {
    const [y] = outputs.values()
    if (!y) throw new Error('no output')
    const t = y.graph.input('target', 'float32', staticShape(y))
    return reduceMean(square(sub(y, t)), [0, 1], 'drop')
  }
  const rewriteRules = { 'me.MyOp': rewrite }
  const own = await differentiate(read('custom_mid'), { rewriteRules, loss })
  expect(own).toEqual(await differentiate(read('custom_mid'), { rewriteRules }))
})

test.each(['shapeRules', 'rewriteRules', 'gradientRules'])('%s are checked by name', (option) => {
  const options = { loss: meanSquaredError(), dimensions }
  const refused = (rules: unknown) => () =>
    gradientModel(read('custom_front'), { ...options, [option]: rules })
  expect(refused([])).toThrow(`model options: ${option} must be functions by operator, but is []`)
  expect(refused({ Relu: 1 })).toThrow(
    `model options: ${option}["Relu"] must be a function, but is 1`,
  )
})
