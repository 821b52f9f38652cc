import { pad } from '../../graph/operations.ts'
import { padding } from '../../shapes/indexing.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x with constants around it;  ∂x = ∂y without what lies around */
export const Pad: Rule = unary((_x, dy, _y, operation) => {
  const mode = operation.text('mode', 'constant')
  if (mode !== 'constant')
    throw operation.error(`mode must be "constant" to be differentiated, but is "${mode}"`)
  const amounts = padding(operation)
  return pad(
    dy,
    amounts.map(([begin]) => -begin),
    amounts.map(([, end]) => -end),
  )
})
