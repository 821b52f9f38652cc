import type { ShapeRule } from './shape-rule.ts'

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

/** Shapes of recurrent layers. */
export const recurrentShapes: Readonly<Record<string, ShapeRule>> = {
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
}
