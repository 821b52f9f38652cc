import type { InferredType, Operation } from '../ir/graph.ts'
import { constantShapes } from './shapes/constant.ts'
import { convolutionShapes } from './shapes/convolution.ts'
import { elementwiseShapes } from './shapes/elementwise.ts'
import { matrixShapes } from './shapes/matrix.ts'
import { normalizationShapes } from './shapes/normalization.ts'
import { reductionShapes } from './shapes/reduction.ts'
import { indexingShapes } from './shapes/shape.ts'
import type { ShapeRule } from './shapes/shape-rule.ts'

const shapeRules = new Map<string, ShapeRule>(
  [
    elementwiseShapes,
    matrixShapes,
    convolutionShapes,
    normalizationShapes,
    reductionShapes,
    indexingShapes,
    constantShapes,
  ].flatMap((family) => Object.entries(family)),
)

/**
 * Infers the types of an operation's outputs.
 *
 * @param declared - the types that the model declares, used for an operator without a shape rule.
 * @throws {OnnxError} If the inputs break the operator's rules, or an operator without a shape rule has
 *   undeclared outputs.
 */
export function inferShapes(
  operation: Operation,
  declared: readonly (InferredType | undefined)[] = [],
): readonly InferredType[] {
  const rule = operation.domain === '' ? shapeRules.get(operation.operator) : undefined
  if (rule) return rule(operation)
  const known = declared.filter((type) => type !== undefined)
  if (known.length === 0 || known.length < declared.length)
    throw operation.error(
      'the shapes of this operator are not known, and the file does not tell them',
    )
  return known
}
