import type { Operation } from '../../ir/graph.ts'
import type { Dimension, Shape } from '../../model/model.ts'
import { broadcast, type ShapeRule } from './shape-rule.ts'

/** Throws unless the lengths that a product sums over are equal. */
function checkInner(
  operation: Operation,
  a: Dimension | undefined,
  b: Dimension | undefined,
): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw operation.error(`the inner lengths must be equal, but are ${a} and ${b}`)
}

const gemm: ShapeRule = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  if (a.shape.length !== 2 || b.shape.length !== 2)
    throw operation.error(`must multiply matrices, but multiplies [${a.shape}] and [${b.shape}]`)
  const transposed = (shape: Shape, name: string): Shape =>
    operation.int(name, 0) ? shape.toReversed() : shape
  const [rows = 1, inner] = transposed(a.shape, 'transA')
  const [otherInner, columns = 1] = transposed(b.shape, 'transB')
  checkInner(operation, inner, otherInner)
  return [{ type: a.type, shape: [rows, columns] }]
}

/** A vector is a row on the left and a column on the right; the result drops its axis of length 1. */
const matMul: ShapeRule = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  if (a.shape.length === 0 || b.shape.length === 0)
    throw operation.error(
      `must multiply values with axes, but multiplies [${a.shape}] and [${b.shape}]`,
    )
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  checkInner(operation, left.at(-1), right.at(-2))
  const batch = broadcast(operation, left.slice(0, -2), right.slice(0, -2))
  const rows = a.shape.length === 1 ? [] : left.slice(-2, -1)
  const columns = b.shape.length === 1 ? [] : right.slice(-1)
  return [{ type: a.type, shape: [...batch, ...rows, ...columns] }]
}

/** The axes of an Einsum's inputs and output, each a letter. The axes of an ellipsis have letters, too. */
export interface EinsumLabels {
  readonly inputs: readonly string[]
  readonly output: string
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Reads the equation of an Einsum, such as `...ij,...jk->...ik`. Without an output, letters that occur once remain. */
export function einsumLabels(operation: Operation): EinsumLabels {
  const equation = operation.string('equation', '').replaceAll(' ', '')
  const [left = '', right, ...more] = equation.split('->')
  const terms = left.split(',')
  const shaped = terms.every((term) => /^[a-zA-Z]*(\.{3}[a-zA-Z]*)?$/.test(term))
  if (!shaped || more.length > 0 || terms.length !== operation.inputs.length)
    throw operation.error(
      `equation must name the axes of ${operation.inputs.length} inputs, but is "${equation}"`,
    )
  const free = [...alphabet].filter((letter) => !equation.includes(letter))
  const hidden = terms.map((term, i) =>
    term.includes('.') ? operation.input(i).shape.length - (term.length - 3) : 0,
  )
  const widest = free.slice(0, Math.max(0, ...hidden)).join('')
  const inputs = terms.map((term, i) => {
    const count = hidden[i] ?? 0
    const labels = term.replace('...', count > 0 ? widest.slice(-count) : '')
    const rank = operation.input(i).shape.length
    if (count < 0 || labels.length !== rank)
      throw operation.error(`"${term}" must name ${rank} axes`)
    return labels
  })
  const once = [...new Set(left.replace(/[.,]/g, ''))]
    .filter((letter) => left.split(letter).length === 2)
    .sort()
  const output = right?.replace('...', widest) ?? widest + once.join('')
  const known = inputs.join('')
  if ([...output].some((label, i) => !known.includes(label) || output.indexOf(label) !== i))
    throw operation.error(`the output "${right}" must name different axes of the inputs`)
  return { inputs, output }
}

/** The length of every axis of an Einsum. A length of 1 is broadcast. */
export function einsumSizes(
  operation: Operation,
  { inputs }: EinsumLabels,
): ReadonlyMap<string, Dimension> {
  const sizes = new Map<string, Dimension>()
  for (const [i, labels] of inputs.entries())
    for (const [axis, label] of [...labels].entries()) {
      const [size] = broadcast(
        operation,
        [sizes.get(label) ?? 1],
        [operation.input(i).shape[axis] ?? 1],
      )
      sizes.set(label, size ?? 1)
    }
  return sizes
}

const einsum: ShapeRule = (operation) => {
  const labels = einsumLabels(operation)
  const sizes = einsumSizes(operation, labels)
  const shape = Array.from(labels.output, (label) => sizes.get(label) ?? 1)
  return [{ type: operation.input(0).type, shape }]
}

/** Y: steps × directions × batch × hidden; Y_h and, of an LSTM, Y_c: directions × batch × hidden. */
const recurrent: ShapeRule = (operation) => {
  const [x, r] = [operation.input(0), operation.input(2)]
  const [directions = 1, , hidden = 1] = r.shape
  if (x.shape.length !== 3 || r.shape.length !== 3)
    throw operation.error(
      `input 0 and 2 must have three axes, but are [${x.shape}] and [${r.shape}]`,
    )
  const batchFirst = operation.int('layout', 0) !== 0
  const [first = 1, second = 1] = x.shape
  const [steps, batch] = batchFirst ? [second, first] : [first, second]
  const y = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
  const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  return [
    { type: x.type, shape: y },
    { type: x.type, shape: last },
    { type: x.type, shape: last },
  ]
}

/** Shapes of matrix products, and of recurrent layers, which are chains of them. */
export const matrixShapes: Readonly<Record<string, ShapeRule>> = {
  Einsum: einsum,
  GRU: recurrent,
  Gemm: gemm,
  LSTM: recurrent,
  MatMul: matMul,
  RNN: recurrent,
}
