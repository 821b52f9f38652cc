import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { apply } from '../../../src/ops/apply.ts'
import type { Case } from '../check.ts'

type Attributes = Readonly<Record<string, Attribute>>

/** A case with one input of shape [random, ...rest]. ArrayLists become constant inputs. */
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

/** Reductions. */
export const reductionCases: readonly Case[] = ['ReduceSum', 'ReduceMean', 'ReduceMax'].flatMap(
  (operator) => [
    onOneInput(operator, 'one axis, kept', [3, 4], { lists: [[1]], values: 'apart' }),
    onOneInput(operator, 'two axes, dropped', [3, 4], {
      lists: [[0, -1]],
      attributes: { keepdims: 0 },
      values: 'apart',
    }),
    onOneInput(operator, 'all axes', [3, 2], { values: 'apart' }),
  ],
)
