import { convolutions } from './cases/convolution.ts'
import { elementwise } from './cases/elementwise.ts'
import { layout } from './cases/layout.ts'
import { normalization } from './cases/normalization.ts'
import { pooling } from './cases/pooling.ts'
import { products } from './cases/product.ts'
import type { Case } from './check.ts'

/** Every operator that has a rule, in several forms; the sizes of each are drawn anew from every seed. */
export const cases: readonly Case[] = [
  ...elementwise,
  ...products,
  ...convolutions,
  ...pooling,
  ...normalization,
  ...layout,
]
