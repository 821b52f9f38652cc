import { convolutionCases } from './cases/convolution.ts'
import { elementwiseCases } from './cases/elementwise.ts'
import { fusedCases } from './cases/fused.ts'
import { matrixCases } from './cases/matrix.ts'
import { normalizationCases } from './cases/normalization.ts'
import { recurrentCases } from './cases/recurrent.ts'
import { reductionCases } from './cases/reduction.ts'
import { selectionCases } from './cases/selection.ts'
import { shapeCases } from './cases/shape.ts'
import type { Case } from './check.ts'

/** Every operator with a gradient rule, in several forms. Shapes are drawn from the seed of a check. */
export const cases: readonly Case[] = [
  ...elementwiseCases,
  ...matrixCases,
  ...convolutionCases,
  ...normalizationCases,
  ...reductionCases,
  ...selectionCases,
  ...shapeCases,
  ...recurrentCases,
  ...fusedCases,
]
