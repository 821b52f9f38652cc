import { sizeOf, type Value } from '../ir/value.ts'
import { apply, matMul, mul, transpose } from '../ops/operations.ts'
import { inside, type Layer } from './layer.ts'
import { linear } from './linear.ts'

/**
 * Multi-head self-attention over a sequence (batch × length × features):
 * softmax(Q·Kᵀ / √d)·V for every head, and one linear layer over all heads.
 */
export const selfAttention =
  (heads: number): Layer =>
  (x, scope) => {
    const [length, features] = [sizeOf(x, 1), sizeOf(x, 2)]
    const width = features / heads
    const projected = (name: string): Value => {
      const y = linear(features)(x, inside(scope, name))
      const split = apply('Reshape', [y, y.graph.integers([0, length, heads, width])])
      return transpose(split, [0, 2, 1, 3])
    }
    const [q, k, v] = [projected('query'), projected('key'), projected('value')]
    const scores = mul(matMul(q, transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(width))
    const mixed = transpose(matMul(apply('Softmax', [scores]), v), [0, 2, 1, 3])
    const joined = apply('Reshape', [mixed, mixed.graph.integers([0, length, features])])
    return linear(features)(joined, inside(scope, 'output'))
  }
