import { binary, type Rule } from '../rule.ts'

/** y = a + b;  ∂a = ∂y, ∂b = ∂y */
export const Add: Rule = binary((_a, _b, dy) => [dy, dy])
