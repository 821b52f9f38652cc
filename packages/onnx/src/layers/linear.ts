import { sizeOf } from '../ir/value.ts'
import { add, apply, matMul } from '../ops/operations.ts'
import { type Initializer, xavierUniform, zeros } from './initializers.ts'
import { type Layer, parameter } from './layer.ts'

/** What a linear layer starts from. */
export interface LinearOptions {
  readonly bias?: boolean
  readonly weight?: Initializer
}

/** y = x·Wᵀ + b over the last axis, W of shape features × inputs. */
export const linear =
  (features: number, { bias = true, weight = xavierUniform }: LinearOptions = {}): Layer =>
  (x, scope) => {
    const inputs = sizeOf(x, -1)
    const w = parameter(x, scope, 'weight', [features, inputs], weight)
    const b = bias ? parameter(x, scope, 'bias', [features], zeros) : undefined
    if (x.shape.length === 2) return apply('Gemm', [x, w, b], { transB: 1 })
    const product = matMul(x, apply('Transpose', [w], { perm: [1, 0] }))
    return b ? add(product, b) : product
  }
