import { neg } from '../../graph/operations.ts'
import { binary, type Rule } from '../rule.ts'

/** y = a − b;  ∂a = ∂y, ∂b = −∂y */
export const Sub: Rule = binary((_a, _b, dy) => [dy, neg(dy)])
