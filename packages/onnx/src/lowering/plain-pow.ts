import type { Placement } from '../graph/from-model.ts'
import { apply, expand } from '../graph/operations.ts'
import { sizes } from '../graph/value.ts'
import { count } from '../model/model.ts'

/** Pow on operands of equal shapes, for runtimes that fail where it would have to repeat one. */
export const plainPow: Placement = (graph, { operator, domain }, [base, exponent]) => {
  if (operator !== 'Pow' || domain !== '' || graph.lowering.operators !== 'plain') return
  if (!base || !exponent || count(sizes(exponent)) === 1) return
  const wide = expand(base, sizes(exponent))
  return [apply('Pow', [wide, expand(exponent, sizes(wide))])]
}
