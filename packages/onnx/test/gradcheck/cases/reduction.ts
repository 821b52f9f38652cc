import type { Value } from '../../../src/ir/graph.ts'
import type { Attribute } from '../../../src/model/model.ts'
import { elementCount } from '../../../src/model/model.ts'
import { apply, applyOperator } from '../../../src/ops/apply.ts'
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

/** A loss of scores for three classes, by fixed targets of which one is 2 and one is ignored if 0 is. */
const classLoss = (
  operator: string,
  reduction: string,
  { space = [], weighted = false, ignored }: ClassLossOptions = {},
): Case => ({
  operator,
  about: [reduction, ...space, weighted && 'weighted', ignored !== undefined && 'ignoring']
    .filter(Boolean)
    .join(', '),
  inputs: () => [[4, 3, ...space]],
  build: (x: Value) => {
    const shape = [4, ...space]
    const data = BigInt64Array.from({ length: elementCount(shape) }, (_, i) => BigInt((2 * i) % 3))
    const target = x.graph.constant({ type: 'int64', shape, data })
    const weights = x.graph.constant({
      type: 'float32',
      shape: [3],
      data: Float32Array.of(0.5, 2, 1),
    })
    return apply(operator, [x, target, weighted ? weights : undefined], {
      reduction,
      ...(ignored === undefined ? {} : { ignore_index: ignored }),
    })
  },
})

interface ClassLossOptions {
  readonly space?: readonly number[]
  readonly weighted?: boolean
  readonly ignored?: number
}

const classLosses = ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'].flatMap((operator) => [
  classLoss(operator, 'mean'),
  classLoss(operator, 'mean', { weighted: true, space: [2, 2] }),
  classLoss(operator, 'mean', { weighted: true, ignored: 2 }),
  classLoss(operator, 'sum', { ignored: 0, space: [3] }),
  classLoss(operator, 'none', { weighted: true }),
])

const logProbabilities: Case = {
  ...classLoss('SoftmaxCrossEntropyLoss', 'mean'),
  about: 'its log-probabilities',
  build: (x: Value) => {
    const target = x.graph.constant({
      type: 'int64',
      shape: [4],
      data: BigInt64Array.of(0n, 2n, 1n, 2n),
    })
    const operation = applyOperator(x.graph, 'SoftmaxCrossEntropyLoss', [x, target], {
      outputs: ['loss', 'logProbabilities'],
    })
    return mul(operation.output(), operation.output(1))
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
  ...classLosses,
  logProbabilities,
]
