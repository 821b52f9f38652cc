import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply } from '../../../src/ops/apply.ts'
import { mul } from '../../../src/ops/builders.ts'
import type { Case } from '../check.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** A case with one input of shape [random, ...rest]. Lists become constant inputs. */
export const onOneInput = (
  operator: string,
  about: string,
  rest: readonly number[],
  {
    lists = [],
    attributes = {},
    values = 'smooth',
  }: {
    lists?: readonly (readonly number[])[]
    attributes?: Attributes
    values?: NonNullable<Case['values']>
  } = {},
): Case => ({
  operator,
  about,
  inputs: (draw) => [[draw.size(1, 3), ...rest]],
  build: (x: Value) =>
    apply(operator, [x, ...lists.map((list) => x.graph.integers(list))], attributes),
  values,
})

const reductions: readonly (readonly [operator: string, values: NonNullable<Case['values']>])[] = [
  ...(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL1'] as const).map(
    (operator) => [operator, 'apart'] as const,
  ),
  ...(['ReduceL2', 'ReduceLogSum', 'ReduceProd'] as const).map(
    (operator) => [operator, 'positive'] as const,
  ),
  ...(['ReduceLogSumExp', 'ReduceSumSquare'] as const).map(
    (operator) => [operator, 'smooth'] as const,
  ),
]

/** Zeros in one row, two or none: the product of the others may be 0. */
const zeros: Case = {
  operator: 'ReduceProd',
  about: 'elements that are 0',
  inputs: () => [[3, 4]],
  build: (x: Value) => {
    const data = Float32Array.of(1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0)
    const mask = x.graph.constant({ type: 'float32', shape: [3, 4], data })
    return apply('ReduceProd', [mul(x, mask), x.graph.integers([1])])
  },
}

/** Reductions. */
export const reductionCases: readonly Case[] = [
  ...reductions.flatMap(([operator, values]) => [
    onOneInput(operator, 'one axis, kept', [3, 4], { lists: [[1]], values }),
    onOneInput(operator, 'two axes, dropped', [3, 4], {
      lists: [[0, -1]],
      attributes: { keepdims: 0 },
      values,
    }),
    onOneInput(operator, 'all axes', [3, 2], { values }),
  ]),
  zeros,
]
