import { sizeOf, type Value } from '../ir/value.ts'
import { add, apply, matMul, mul, transpose } from '../ops/operations.ts'
import { conv } from './convolution.ts'
import { zeros } from './initializers.ts'
import { inside, type Layer, parameter } from './layer.ts'

/**
 * Attention over the places of an image without queries or keys: y = γ·(x·xᵀ)·(W·x) + x for the matrix
 * x of channels × places, γ from 0. The spectral norm that fastai puts on W is left out.
 *
 * @see github.com/sdoria/SimpleSelfAttention.
 */
export const simpleSelfAttention: Layer = (x, scope) => {
  const [channels, height, width] = [sizeOf(x, 1), sizeOf(x, 2), sizeOf(x, 3)]
  const flat = (value: Value): Value =>
    apply('Reshape', [value, value.graph.integers([0, channels, height * width])])
  const places = flat(x)
  const projected = flat(conv(channels, { kernel: 1 })(x, inside(scope, 'projection')))
  const attended = matMul(matMul(places, transpose(places, [0, 2, 1])), projected)
  const gamma = parameter(x, scope, 'gamma', [1], zeros)
  const image = apply('Reshape', [attended, x.graph.integers([0, channels, height, width])])
  return add(mul(gamma, image), x)
}
