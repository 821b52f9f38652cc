import { sizes } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import type { Placement } from '../ops/from-model.ts'
import { apply, expand } from '../ops/operations.ts'

/** Pow on operands of equal shapes, for runtimes that fail where it would have to repeat one. */
export const plainPow: Placement = (graph, { operator, domain }, [base, exponent]) => {
  if (operator !== 'Pow' || domain !== '' || graph.lowering.operators !== 'plain') return
  if (!base || !exponent || elementCount(sizes(exponent)) === 1) return
  const wide = expand(base, sizes(exponent))
  return [apply('Pow', [wide, expand(exponent, sizes(wide))])]
}
