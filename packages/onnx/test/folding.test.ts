import { expect, test } from 'vitest'
import { foldingRules } from '../src/analysis/folding-rules.ts'
import { Graph, type Value } from '../src/ir/graph.ts'
import { toModel } from '../src/ir/to-model.ts'
import { elements } from '../src/model/data-type.ts'
import type { Attribute } from '../src/model/model.ts'
import { applyOperator } from '../src/ops/apply.ts'
import { session } from './session.ts'

const ints = [7, -7, 3, 0, 12, -5]
const floats = [1.5, -2.25, 3, 0, 0.75, -4]
type Case = readonly [
  operator: string,
  inputs: readonly ((graph: Graph) => Value)[],
  attributes?: Readonly<Record<string, Attribute>>,
  outputs?: number,
]
const integer =
  (data: readonly number[], shape = [2, 3]) =>
  (graph: Graph): Value =>
    graph.constant({ type: 'int64', shape, data: elements('int64', data) })
const float =
  (data: readonly number[] = floats, shape = [2, 3]) =>
  (graph: Graph): Value =>
    graph.constant({ type: 'float32', shape, data: Float32Array.from(data) })
const bool = (graph: Graph): Value =>
  graph.constant({ type: 'bool', shape: [2, 3], data: Uint8Array.of(1, 0, 0, 1, 1, 0) })
const all = integer(ints)
const list = (...data: number[]) => integer(data, [data.length])

const cases: readonly Case[] = [
  ['Abs', [all]],
  ['Mod', [all, list(4, -4, 5)]],
  ['Mod', [float(), float([2], [1])], { fmod: 1 }],
  ['Size', [all]],
  ['Exp', [float()]],
  ['Log', [float([1, 2, 4, 0.5], [2, 2])]],
  ['Reciprocal', [float([1, 2, 4, 0.5], [2, 2])]],
  ['Sign', [all]],
  ['Sum', [float(), float([1, 2, 3], [3]), float()]],
  ['Pow', [all, list(2, 1, 3)]],
  ['GreaterOrEqual', [all, list(3, -7, 3)]],
  ['LessOrEqual', [all, list(3, -7, 3)]],
  ['Xor', [bool, bool]],
  ['Split', [all], { axis: 1, num_outputs: 2 }, 2],
  ['Split', [all, list(1, 0, 2)], { axis: 1 }, 3],
  ['Tile', [all, list(2, 3)]],
  ['Flatten', [integer([...ints, ...ints], [2, 3, 2])], { axis: 2 }],
  ['NonZero', [all]],
  ['ScatterND', [all, integer([1, -3], [1, 2]), list(99)]],
  ['ScatterND', [all, integer([-1, 0], [2, 1]), all], { reduction: 'add' }],
  ['ScatterND', [all, integer([1, 0], [2, 1]), all], { reduction: 'max' }],
  ['ReduceSum', [all, list(1)]],
  ['ReduceSum', [all], { noop_with_empty_axes: 1 }],
  ['ReduceMax', [all, list(-2)], { keepdims: 0 }],
  ['ReduceMin', [all]],
  ['ReduceProd', [all, list(0, 1)], { keepdims: 0 }],
  ...['Mean', 'L1', 'L2', 'SumSquare', 'LogSumExp'].map(
    (name): Case => [`Reduce${name}`, [float(), list(1)]],
  ),
  ['ReduceLogSum', [float([1, 2, 4, 0.5], [2, 2]), list(0)]],
]

test('operators on constants are folded to what ONNX Runtime computes', async () => {
  const graph = new Graph()
  const outputs = new Map<string, Value>()
  const folded = new Map<string, Value>()
  for (const [i, [operator, inputs, attributes = {}, count = 1]] of cases.entries()) {
    const names = (stem: string) => Array.from({ length: count }, (_, k) => `${stem}${i}.${k}`)
    const values = inputs.map((input) => input(graph))
    const options = { attributes: new Map(Object.entries(attributes)) }
    const computed = applyOperator(graph, operator, values, {
      ...options,
      outputs: names('y'),
      fold: false,
    })
    const constant = applyOperator(graph, operator, values, { ...options, outputs: names('z') })
    for (let k = 0; k < count; k++) {
      const name = `${operator} ${i}.${k}`
      outputs.set(name, computed.output(k))
      folded.set(name, constant.output(k))
    }
  }
  const results = await (await session(toModel({ name: 'folding', outputs }))).run({})
  for (const [name, { constant, shape }] of folded) {
    expect([name, shape]).toEqual([name, results[name]?.dims])
    const expected = Array.from(results[name]?.data as Float32Array, Number)
    expect([name, constant?.type]).toEqual([name, results[name]?.type])
    const actual = Array.from(constant?.data ?? [], Number)
    expect(actual.length, name).toBe(expected.length)
    for (const [j, x] of actual.entries()) expect(x, name).toBeCloseTo(expected[j] ?? NaN, 5)
  }
})

test('what has no exact result is not folded', () => {
  const graph = new Graph()
  const apply = (operator: string, ...inputs: readonly Value[]) =>
    applyOperator(graph, operator, inputs).output().constant
  const [numbers, zero] = [all(graph), list(0)(graph)]
  expect(apply('Mod', numbers, zero)).toBeUndefined()
  expect(apply('ReduceMean', numbers)).toBeUndefined()
  expect(
    apply('ScatterND', numbers, integer([2], [1, 1])(graph), integer([1, 2, 3], [1, 3])(graph)),
  ).toBeUndefined()
  expect([...foldingRules.keys()]).toContain('NonZero')
})
