import type { InferredType, Operation } from '../ir/graph.ts'
import { optimizedAdvice, qualifiedOperator } from '../model/error.ts'
import { elementCount } from '../model/model.ts'
import { constantShapes } from './shapes/constant.ts'
import { convolutionShapes } from './shapes/convolution.ts'
import { elementwiseShapes } from './shapes/elementwise.ts'
import { fusedShapes } from './shapes/fused.ts'
import { matrixShapes } from './shapes/matrix.ts'
import { normalizationShapes } from './shapes/normalization.ts'
import { quantizedShapes } from './shapes/quantized.ts'
import { reductionShapes } from './shapes/reduction.ts'
import { resizeShapes } from './shapes/resize.ts'
import { selectionShapes } from './shapes/selection.ts'
import { layoutShapes } from './shapes/shape.ts'
import type { ShapeRule } from './shapes/shape-rule.ts'

/** The shape rule of every known standard operator. */
export const shapeRules: ReadonlyMap<string, ShapeRule> = new Map<string, ShapeRule>(
  [
    elementwiseShapes,
    matrixShapes,
    convolutionShapes,
    normalizationShapes,
    reductionShapes,
    layoutShapes,
    resizeShapes,
    selectionShapes,
    constantShapes,
    fusedShapes,
    quantizedShapes,
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
  const name = qualifiedOperator(operation)
  const own = operation.graph.shapeRules.get(name)?.(operation)
  if (own) return checkSizes(operation, own.map(withoutElements))
  const rule = shapeRules.get(name)
  if (rule) return checkSizes(operation, rule(operation))
  const known = declared.filter((type) => type !== undefined)
  if (known.length === 0 || known.length < declared.length) {
    throw operation.error(
      `the operator has no shape rule, and the model does not declare the shapes of its outputs${optimizedAdvice(operation)}`,
    )
  }
  return checkSizes(operation, known.map(withoutElements))
}

/** A rule may return one of the operation's inputs, whose elements are not those of the output. */
const withoutElements = ({ type, shape }: InferredType): InferredType => ({ type, shape })

/** More elements than any runtime allocates: 8 GiB of float32. */
const tooManyElements = 2 ** 31

/** Checks every length before anything is built from it: attributes and constants may hold any number. */
function checkSizes(operation: Operation, types: readonly InferredType[]): readonly InferredType[] {
  for (const { shape } of types) {
    const sizes = shape.filter((size) => typeof size === 'number')
    if (sizes.some((size) => !(Number.isSafeInteger(size) && size >= 0)))
      throw operation.error(`lengths must be integers >= 0, but its output has [${shape}]`)
    if (elementCount(sizes) >= tooManyElements)
      throw operation.error(
        `an output must have less than ${tooManyElements} elements, but has [${shape}]`,
      )
  }
  return types
}
