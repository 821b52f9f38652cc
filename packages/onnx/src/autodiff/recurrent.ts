import type { Operation, Value } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { apply, applyOperator } from '../ops/apply.ts'
import {
  add,
  cast,
  concatAll,
  filled,
  gather,
  greater,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  softplus,
  sub,
  tanh,
  transpose,
} from '../ops/builders.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'

/** Steps are written out one by one, each in a dozen operators and some forty of its gradient. */
const maxSteps = 512

type Activation = (x: Value) => Value

const activations: Readonly<Record<string, Activation>> = {
  Elu: (x) => apply('Elu', [x]),
  HardSigmoid: (x) => apply('HardSigmoid', [x]),
  LeakyRelu: (x) => apply('LeakyRelu', [x]),
  Relu: (x) => apply('Relu', [x]),
  Sigmoid: sigmoid,
  Softplus: softplus,
  Softsign: (x) => apply('Softsign', [x]),
  Tanh: tanh,
}

/** The weights of one direction, and how it computes. */
interface Direction {
  /** x·Wᵀ plus the biases of x, for all steps: steps × batch × (gates · hidden). */
  readonly inputs: Value
  /** Rᵀ: hidden × (gates · hidden). */
  readonly recurrent: Value
  /** The biases of h: gates · hidden. */
  readonly bias: Value | undefined
  /** Of an LSTM: the weights of c in the input, output and forget gate: 3 · hidden. */
  readonly peepholes: Value | undefined
  readonly activations: readonly Activation[]
  readonly hidden: number
}

/** What a step carries to the next one: batch × hidden. */
interface State {
  readonly h: Value
  readonly c: Value
}

/** The state after step t. */
type Cell = (direction: Direction, x: Value, state: State) => State

/**
 * Equal parts of an axis. Their gradients are joined once: those of slices would each be padded to the
 * whole, whose memory grows with the square of the steps.
 */
function equalParts(x: Value, axis: number, count: number): readonly Value[] {
  if (count === 1) return [x]
  const { graph } = x
  const { outputs } = applyOperator(
    graph,
    'Split',
    [x, graph.integers(new Array<number>(count).fill(axisSize(x, axis) / count))],
    {
      attributes: new Map([['axis', axis]]),
      outputs: Array.from({ length: count }, (_, i) => graph.freshName(`part/${i}`)),
    },
  )
  return outputs.filter((output) => output !== undefined)
}

/** One of the equal parts of an axis, each `hidden` long. */
const part = (x: Value, axis: number, index: number, hidden: number): Value =>
  slice(x, [{ axis, start: index * hidden, end: (index + 1) * hidden }])

const withBias = (x: Value, bias: Value | undefined): Value => (bias ? add(x, bias) : x)

/**
 * i, f, o = f(x·Wᵀ + h·Rᵀ + P⊙c + b), c ← f⊙c + i⊙g(…), h ← o⊙h(c); gates in the order i, o, f, c, and the
 * output gate sees the new c
 */
const lstmCell: Cell = (direction, x, { h, c }) => {
  const { hidden, peepholes, activations: all } = direction
  const [f = sigmoid, g = tanh, last = tanh] = all
  const sum = add(x, withBias(matMul(h, direction.recurrent), direction.bias))
  const gate = (index: number, seen: Value): Value => {
    const own = part(sum, 1, index, hidden)
    return peepholes && index < 3 ? add(own, mul(part(peepholes, 0, index, hidden), seen)) : own
  }
  const candidate = mul(f(gate(0, c)), g(gate(3, c)))
  const next = add(mul(f(gate(2, c)), c), candidate)
  return { h: mul(f(gate(1, next)), last(next)), c: next }
}

/** z, r = f(x·Wᵀ + h·Rᵀ + b), h ← (1 − z)⊙g(x·Wᵀ + (r⊙h)·Rᵀ + b) + z⊙h; r comes later if `afterProduct` */
const gruCell =
  (afterProduct: boolean): Cell =>
  (direction, x, { h, c }) => {
    const { hidden, recurrent, bias } = direction
    const [f = sigmoid, g = tanh] = direction.activations
    const ofState = withBias(matMul(h, recurrent), bias)
    const gate = (index: number): Value =>
      f(add(part(x, 1, index, hidden), part(ofState, 1, index, hidden)))
    const [z, r] = [gate(0), gate(1)]
    const inner = afterProduct
      ? mul(r, part(ofState, 1, 2, hidden))
      : withBias(matMul(mul(r, h), part(recurrent, 1, 2, hidden)), bias && part(bias, 0, 2, hidden))
    const candidate = g(add(part(x, 1, 2, hidden), inner))
    return { h: add(mul(sub(1, z), candidate), mul(z, h)), c }
  }

/** h ← f(x·Wᵀ + h·Rᵀ + b) */
const rnnCell: Cell = ({ recurrent, bias, activations: [f = tanh] }, x, { h, c }) => ({
  h: f(add(x, withBias(matMul(h, recurrent), bias))),
  c,
})

/** How the inputs of an operator are laid out. */
interface Layout {
  readonly gates: number
  readonly cell: Cell
  /** The number of activations of a direction. */
  readonly activations: number
}

/** Writes out all steps of an operator: the outputs Y, Y_h and, of an LSTM, Y_c. */
function unroll(
  operation: Operation,
  { gates, cell, activations: count }: Layout,
): readonly Value[] {
  checkSupported(operation)
  const [x, w, r] = [operation.input(0), operation.input(1), operation.input(2)]
  const [, , , biases, lengths, initialH, initialC, peepholes] = operation.inputs
  const [steps = 1, batch = 1, size = 1] = staticShape(x)
  const directions = axisSize(w, 0)
  const hidden = axisSize(r, 2)
  if (steps > maxSteps)
    throw operation.error(
      `must have at most ${maxSteps} steps to be differentiated, as they are written out, but has ${steps}; train on shorter sequences`,
    )
  const { graph } = operation
  const of = (value: Value, direction: number, shape: readonly number[]): Value =>
    reshape(gather(value, [direction], 0), shape)
  const rows = reshape(x, [steps * batch, size])
  const all = Array.from({ length: directions }, (_, d) => {
    const bias = biases && of(biases, d, [2 * gates * hidden])
    const width = gates * hidden
    const ofInput = bias && slice(bias, [{ axis: 0, start: 0, end: width }])
    const product = matMul(rows, transpose(of(w, d, [width, size]), [1, 0]))
    const direction: Direction = {
      inputs: reshape(withBias(product, ofInput), [steps, batch, width]),
      recurrent: transpose(of(r, d, [width, hidden]), [1, 0]),
      bias: bias && slice(bias, [{ axis: 0, start: width, end: 2 * width }]),
      peepholes: peepholes && of(peepholes, d, [3 * hidden]),
      activations: activationsOf(operation, d, count),
      hidden,
    }
    const isReverse = d === 1 || operation.string('direction', 'forward') === 'reverse'
    const first = (initial: Value | undefined): Value =>
      initial ? of(initial, d, [batch, hidden]) : filled(graph, [batch, hidden])
    let state: State = { h: first(initialH), c: first(initialC) }
    const outputs: Value[] = []
    const inputs = equalParts(direction.inputs, 0, steps)
    for (let step = 0; step < steps; step++) {
      const t = isReverse ? steps - 1 - step : step
      const at = inputs[t]
      if (!at) continue
      const next = cell(direction, reshape(at, [batch, width]), state)
      const isValid = lengths && reshape(cast(greater(lengths, t), 'float32'), [batch, 1])
      state = isValid
        ? { h: choose(isValid, next.h, state.h), c: choose(isValid, next.c, state.c) }
        : next
      const shown = isValid ? mul(isValid, next.h) : next.h
      outputs[t] = reshape(shown, [1, 1, batch, hidden])
    }
    return { y: concatAll(outputs, 0), ...state }
  })
  const last = (values: readonly Value[]): Value =>
    concatAll(
      values.map((value) => reshape(value, [1, batch, hidden])),
      0,
    )
  return [
    concatAll(
      all.map(({ y }) => y),
      1,
    ),
    last(all.map(({ h }) => h)),
    last(all.map(({ c }) => c)),
  ]
}

/** a where the mask is 1, and b where it is 0. */
const choose = (mask: Value, a: Value, b: Value): Value => add(b, mul(mask, sub(a, b)))

function checkSupported(operation: Operation): void {
  for (const name of ['clip', 'activation_alpha', 'activation_beta'])
    if (operation.attributes.has(name))
      throw operation.error(`must not have ${name} to be differentiated`)
  for (const name of ['layout', 'input_forget'])
    if (operation.int(name, 0) !== 0)
      throw operation.error(
        `${name} must be 0 to be differentiated, but is ${operation.int(name, 0)}`,
      )
}

/** The activations of a direction. */
function activationsOf(
  operation: Operation,
  direction: number,
  count: number,
): readonly Activation[] {
  const names = operation.strings('activations')?.slice(direction * count, (direction + 1) * count)
  return (names ?? []).map((name) => {
    const known = Object.keys(activations).find((one) => one.toLowerCase() === name.toLowerCase())
    const activation = activations[known ?? '']
    if (activation) return activation
    throw operation.error(
      `activations must be ${Object.keys(activations).join(', ')} to be differentiated, but one is ${name}`,
    )
  })
}

/** Recurrent layers as the operators that they consist of, step by step. */
export const recurrentDecompositions: readonly (readonly [string, OperatorRewrite])[] = [
  ['LSTM', (operation) => unroll(operation, { gates: 4, cell: lstmCell, activations: 3 })],
  [
    'GRU',
    (operation) => {
      const afterProduct = operation.int('linear_before_reset', 0) !== 0
      return unroll(operation, { gates: 3, cell: gruCell(afterProduct), activations: 2 })
    },
  ],
  ['RNN', (operation) => unroll(operation, { gates: 1, cell: rnnCell, activations: 1 })],
]
