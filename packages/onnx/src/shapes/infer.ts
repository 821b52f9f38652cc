import type { Operation } from '../ir/operation.ts'
import type { Inferred } from '../ir/value.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import type { Inference } from './inference.ts'
import { layout } from './layout.ts'
import { normalization } from './normalization.ts'
import { parts } from './parts.ts'
import { pooling } from './pooling.ts'
import { product } from './product.ts'
import { reduction } from './reduction.ts'
import { source } from './source.ts'

const inferences = new Map<string, Inference>(
  [
    elementwise,
    convolution,
    pooling,
    normalization,
    product,
    reduction,
    layout,
    indexing,
    parts,
    source,
  ].flatMap((family) => Object.entries(family)),
)

/** Tells what an operation's outputs will be; of an operator that we do not know, what the file says. */
export function infer(
  operation: Operation,
  declared: readonly (Inferred | undefined)[] = [],
): readonly Inferred[] {
  const inference = operation.domain === '' ? inferences.get(operation.operator) : undefined
  if (inference) return inference(operation)
  const told = declared.filter((value) => value !== undefined)
  if (told.length === 0 || told.length < declared.length)
    throw operation.error(
      'the shapes of this operator are not known, and the file does not tell them',
    )
  return told
}
