import {
  type Binary,
  type Expression,
  type Graph,
  memoized,
  numbers,
  operands,
} from '@diffgrad/core'
import type { Dtype } from '../typed-arrays.ts'
import { simdTypes } from './simd.ts'

/** Every this many steps, running averages that decay towards subnormal numbers are set to zero. */
const flushInterval = 32

/** Whether step t, from 1, flushes; 0 is no step. */
export const isFlushStep = (t: number): boolean => t > 0 && t % flushInterval === 0

/**
 * Averages with a smaller decay rate have the threshold of this one: they pass the subnormal numbers
 * within a few steps, and the threshold of β = ½ would erase second moments that matter.
 */
const leastRate = 0.9

/**
 * Returns the optimizer states that a kernel computes from their own past. The parameter itself is no
 * average.
 */
export const runningAverages: (graph: Graph) => readonly string[] = memoized(({ outputs }) =>
  outputs.flatMap(([array, node]) => (array !== 'theta' && dependsOn(node, array) ? [array] : [])),
)

/**
 * Returns the flush threshold of each running average: the smallest normal number / β³², so that pure
 * decay reaches no subnormal number before the next flush. A state that does not decay, such as a
 * maximum, has β = 1.
 *
 * @param coefficients - in the order of the graph.
 */
export function flushThresholds(
  graph: Graph,
  dtype: Dtype,
  coefficients: readonly number[],
): readonly number[] {
  const averages = runningAverages(graph)
  return graph.outputs.flatMap(([array, node]) => {
    if (!averages.includes(array)) return []
    const rate = Math.abs(slopeOf(graph, node, array, coefficients))
    const beta = rate < 1 ? Math.max(rate, leastRate) : 1 // NaN is 1.
    return [simdTypes[dtype].smallestNormal / beta ** flushInterval]
  })
}

const dependsOn = (node: Expression, array: string): boolean =>
  node.op === 'array' ? node.name === array : operands(node).some((a) => dependsOn(a, array))

/**
 * Returns the derivative of an output with respect to an array, if that is the same for all elements:
 * β of β·m + (1 − β)·g, and of m + (1 − β)·(g − m). NaN otherwise. The larger one of both operands for a
 * minimum or a maximum.
 */
function slopeOf(
  { nodes, coefficients: names }: Graph,
  output: Expression,
  array: string,
  coefficients: readonly number[],
): number {
  const slopes = new Map<Expression, number>()
  /** NaN for what differs between elements. */
  const scalars = new Map<Expression, number>()
  const slope = (node: Expression): number => slopes.get(node) ?? 0
  const scalar = (node: Expression): number => scalars.get(node) ?? Number.NaN
  for (const node of nodes) {
    if ('b' in node) {
      const { op, a, b } = node
      scalars.set(node, numbers[op](scalar(a), scalar(b)))
      slopes.set(node, slopeOfBinary(op, [slope(a), slope(b)], [scalar(a), scalar(b)]))
    } else if ('a' in node) {
      scalars.set(node, numbers[node.op](scalar(node.a)))
      slopes.set(node, slope(node.a) === 0 ? 0 : Number.NaN)
    } else if (node.op === 'constant') {
      scalars.set(node, node.value)
    } else if (node.op === 'coefficient') {
      scalars.set(node, coefficients[names.indexOf(node.name)])
    } else {
      slopes.set(node, Number(node.name === array))
    }
  }
  return slope(output)
}

type Pair = readonly [a: number, b: number]

function slopeOfBinary(op: Binary, [da, db]: Pair, [a, b]: Pair): number {
  if (da === 0 && db === 0) return 0
  switch (op) {
    case 'add':
      return da + db
    case 'sub':
      return da - db
    case 'mul':
      return (da === 0 ? 0 : da * b) + (db === 0 ? 0 : db * a)
    case 'div':
      return db === 0 ? da / b : Number.NaN
    case 'min':
    case 'max':
      return Math.max(Math.abs(da), Math.abs(db))
  }
}
