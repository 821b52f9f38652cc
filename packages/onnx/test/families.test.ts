import { expect, test } from 'vitest'
import { convolutionShapes } from '../src/analysis/shapes/convolution.ts'
import { elementwiseShapes } from '../src/analysis/shapes/elementwise.ts'
import { matrixShapes } from '../src/analysis/shapes/matrix.ts'
import { normalizationShapes } from '../src/analysis/shapes/normalization.ts'
import { reductionShapes } from '../src/analysis/shapes/reduction.ts'
import { resizeShapes } from '../src/analysis/shapes/resize.ts'
import { selectionShapes } from '../src/analysis/shapes/selection.ts'
import { layoutShapes } from '../src/analysis/shapes/shape.ts'
import { decompositions } from '../src/autodiff/decompositions.ts'
import * as activation from '../src/autodiff/rules/activation.ts'
import * as convolution from '../src/autodiff/rules/convolution.ts'
import * as elementwise from '../src/autodiff/rules/elementwise.ts'
import * as matrix from '../src/autodiff/rules/matrix.ts'
import * as normalization from '../src/autodiff/rules/normalization.ts'
import * as reduction from '../src/autodiff/rules/reduction.ts'
import * as resize from '../src/autodiff/rules/resize.ts'
import * as selection from '../src/autodiff/rules/selection.ts'
import * as shape from '../src/autodiff/rules/shape.ts'
import { convolutionCases } from './gradcheck/cases/convolution.ts'
import { elementwiseCases } from './gradcheck/cases/elementwise.ts'
import { matrixCases } from './gradcheck/cases/matrix.ts'
import { normalizationCases } from './gradcheck/cases/normalization.ts'
import { reductionCases } from './gradcheck/cases/reduction.ts'
import { selectionCases } from './gradcheck/cases/selection.ts'
import { shapeCases } from './gradcheck/cases/shape.ts'

test.each([
  ['convolution', convolution, convolutionShapes, convolutionCases],
  ['elementwise', { ...activation, ...elementwise }, elementwiseShapes, elementwiseCases],
  ['matrix', matrix, matrixShapes, matrixCases],
  ['normalization', normalization, normalizationShapes, normalizationCases],
  ['reduction', reduction, reductionShapes, reductionCases],
  ['selection', selection, selectionShapes, selectionCases],
  ['shape', { ...shape, ...resize }, { ...layoutShapes, ...resizeShapes }, shapeCases],
] as const)(
  'gradient rules, shape rules and gradient checks of %s operators are in files of that family',
  (_family, rules, shapes, cases) => {
    const checked = new Set(cases.map(({ operator }) => operator))
    const byRule = [...checked].filter((name) => name in rules || !decompositions.has(name))
    expect(new Set(byRule)).toEqual(new Set(Object.keys(rules)))
    expect(Object.keys(shapes)).toEqual(expect.arrayContaining([...checked]))
  },
)
