import {
  dilatedKernel,
  pooledSizes,
  poolingWindow,
  tapSlices,
} from '../analysis/shapes/convolution.ts'
import { axisSlices } from '../analysis/shapes/shape.ts'
import { Operation, type Value } from '../ir/graph.ts'
import { spatialShape, staticShape } from '../ir/value.ts'
import { elementCount, multiIndices } from '../model/model.ts'
import { isOperator } from '../model/node.ts'
import { apply, applyOperator } from '../ops/apply.ts'
import { expand, gather, lessOrEqual, slice, transpose, where } from '../ops/builders.ts'
import type { RewriteRule } from './import.ts'

/** Every element of an unrolled kernel becomes three operations. */
const maxTaps = 1024

/**
 * MaxPool as a maximum over shifted images, for runtimes whose MaxPool has no indices output. Of equal
 * elements the first is taken, as by MaxPool.
 */
const lowerMaxPool: RewriteRule = (graph, node, inputs) => {
  const [image] = inputs
  if (!isOperator(node, 'MaxPool') || graph.lowering.operators !== 'plain' || !image) return
  const operation = new Operation(graph, { ...node, inputs })
  if (node.outputs.length > 1) return
  const window = poolingWindow(operation)
  if (elementCount(window.kernel) > maxTaps)
    throw operation.error(
      `a kernel must have at most ${maxTaps} elements, but has [${window.kernel}]`,
    )
  const outputSpace = pooledSizes(operation, window)
  // With `ceil_mode`, the last window may reach beyond the padding.
  const end = dilatedKernel(window).map((span, axis) => {
    const covered = ((outputSpace[axis] ?? 1) - 1) * (window.strides[axis] ?? 1) + span
    const available = (spatialShape(image)[axis] ?? 1) + (window.begin[axis] ?? 0)
    return Math.max(covered - available, window.end[axis] ?? 0)
  })
  const pads = graph.integers([0, 0, ...window.begin, 0, 0, ...end])
  const padded = apply('Pad', [image, pads, graph.scalar(Number.NEGATIVE_INFINITY)])
  const shifted = multiIndices(window.kernel).map((tap) =>
    slice(padded, tapSlices(window, tap, outputSpace)),
  )
  return [shifted.reduce((max, other) => where(lessOrEqual(other, max), max, other))]
}

/**
 * A pooling with `ceil_mode` whose last window would begin in the padding, in the form that rounds down.
 * ONNX Runtime leaves the window out when it computes, but counts it when it infers shapes.
 */
const lowerCeilMode: RewriteRule = (graph, node, inputs) => {
  const [image] = inputs
  if (node.domain !== '' || !poolings.has(node.operator) || !image) return
  if (!node.attributes.get('ceil_mode')) return
  const operation = new Operation(graph, { ...node, inputs })
  const window = poolingWindow(operation)
  const outputSpace = pooledSizes(operation, window)
  const axes = spatialShape(image).map((size, axis) => {
    const [stride, begin] = [window.strides[axis] ?? 1, window.begin[axis] ?? 0]
    const span = dilatedKernel(window)[axis] ?? 1
    const available = size + begin + (window.end[axis] ?? 0)
    const kept = outputSpace[axis] ?? 1
    const covered = (kept - 1) * stride + span
    return {
      isDropped: Math.ceil((available - span) / stride) + 1 > kept,
      overhangs: covered > available,
      end: Math.max(covered - size - begin, 0),
    }
  })
  // Elements beyond the padding count in no mean.
  const counts = operation.int('count_include_pad', 0) !== 0
  if (!axes.some(({ isDropped }) => isDropped)) return
  if (counts && axes.some(({ overhangs }) => overhangs)) return
  const { ceil_mode: _, auto_pad: __, ...rest } = Object.fromEntries(node.attributes)
  const pads = [...window.begin, ...axes.map(({ end }) => end)]
  return applyOperator(graph, node.operator, inputs, {
    name: node.name,
    attributes: new Map(Object.entries({ ...rest, pads })),
    outputs: node.outputs,
  }).outputs
}

const poolings: ReadonlySet<string> = new Set(['AveragePool', 'LpPool', 'MaxPool'])

/** Pow of operands with equal shapes, for runtimes whose Pow does not broadcast. */
const lowerPow: RewriteRule = (graph, node, [base, exponent]) => {
  if (!isOperator(node, 'Pow') || graph.lowering.operators !== 'plain') return
  if (!base || !exponent || elementCount(staticShape(exponent)) === 1) return
  const wide = expand(base, staticShape(exponent))
  return [apply('Pow', [wide, expand(exponent, staticShape(wide))])]
}

/** Slice with negative steps as Gather, for runtimes whose Slice has positive steps only. */
const lowerSlice: RewriteRule = (graph, node, inputs) => {
  const [x] = inputs
  if (!isOperator(node, 'Slice') || graph.lowering.operators !== 'plain' || !x) return
  const operation = new Operation(graph, { ...node, inputs })
  const slices = axisSlices(operation)
  if (slices.every(({ step }) => step > 0)) return
  return [
    slices.reduce((value, { axis, start, step, length: sliced }) => {
      const length = operation.constantLength([sliced])
      const indices = Array.from({ length }, (_, i) => start + i * step)
      return gather(value, indices, axis)
    }, x),
  ]
}

const recurrentOperators: ReadonlySet<string> = new Set(['GRU', 'LSTM', 'RNN'])

/** A recurrent layer with the batch first as one with the steps first: ONNX Runtime has no other. */
const lowerRecurrentLayout: RewriteRule = (graph, node, inputs) => {
  if (node.domain !== '' || !recurrentOperators.has(node.operator)) return
  if (new Operation(graph, { ...node, inputs }).int('layout', 0) === 0) return
  const [x, w, r, bias, lengths, h, c, peepholes] = inputs
  const swap = (value: Value | undefined): Value | undefined => value && transpose(value, [1, 0, 2])
  const { outputs } = applyOperator(
    graph,
    node.operator,
    [swap(x), w, r, bias, lengths, swap(h), swap(c), peepholes],
    {
      name: node.name,
      attributes: new Map([...node.attributes].filter(([name]) => name !== 'layout')),
      outputs: node.outputs.map((name) => (name === '' ? '' : graph.freshName(name))),
    },
  )
  const [y, ...states] = outputs
  return [y && transpose(y, [2, 0, 1, 3]), ...states.map(swap)]
}

/** Rules that replace operators that some runtimes lack or compute otherwise, before differentiation. */
export const loweringRules: readonly RewriteRule[] = [
  lowerMaxPool,
  lowerCeilMode,
  lowerPow,
  lowerRecurrentLayout,
  lowerSlice,
]
