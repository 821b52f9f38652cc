import type { Value } from '../ir/graph.ts'
import { axisSize } from '../ir/value.ts'
import { apply } from '../ops/apply.ts'
import { add, matMul, mul, sigmoid, sub, transpose } from '../ops/builders.ts'
import { type Initializer, zeros } from './initializers.ts'
import { childScope, type Layer, parameter, sequential } from './layer.ts'
import { conv, globalAveragePool, linear, relu } from './layers.ts'

/** The hyperparameters of self-attention. */
export interface SelfAttentionOptions {
  /** float32 of batch × length, 1 at tokens and 0 at padding, which nothing attends to. Default: all tokens. */
  readonly mask?: Value
}

/**
 * Multi-head self-attention over a sequence (batch × length × features):
 * softmax(Q·Kᵀ / √d)·V per head, and one linear layer over all heads. The length may be symbolic.
 */
export const selfAttention =
  (heads: number, { mask }: SelfAttentionOptions = {}): Layer =>
  (x, scope) => {
    const features = axisSize(x, 2)
    const width = features / heads
    // A length of 0 copies that of the input.
    const projected = (name: string): Value => {
      const y = linear(features)(x, childScope(scope, name))
      const split = apply('Reshape', [y, y.graph.integers([0, 0, heads, width])])
      return transpose(split, [0, 2, 1, 3])
    }
    const [q, k, v] = [projected('query'), projected('key'), projected('value')]
    const products = mul(matMul(q, transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(width))
    // e⁻¹⁰⁰⁰⁰ is 0 in float32.
    const scores = mask
      ? add(products, apply('Unsqueeze', [mul(sub(mask, 1), 1e4), x.graph.integers([1, 2])]))
      : products
    const mixed = transpose(matMul(apply('Softmax', [scores]), v), [0, 2, 1, 3])
    const joined = apply('Reshape', [mixed, mixed.graph.integers([0, 0, features])])
    return linear(features)(joined, childScope(scope, 'output'))
  }

/** The hyperparameters of simple self-attention. */
export interface SimpleSelfAttentionOptions {
  /** Divides W by its spectral norm, as fastai does. Default false. */
  readonly spectralNorm?: boolean
}

/**
 * Attention over the pixels of an image without queries and keys: y = γ·(x·xᵀ)·(W·x) + x for the matrix
 * x of channels × pixels. γ starts at 0.
 *
 * @see github.com/sdoria/SimpleSelfAttention.
 */
export const simpleSelfAttention =
  ({ spectralNorm = false }: SimpleSelfAttentionOptions = {}): Layer =>
  (x, scope) => {
    const [channels, height, width] = [axisSize(x, 1), axisSize(x, 2), axisSize(x, 3)]
    const flat = (value: Value): Value =>
      apply('Reshape', [value, value.graph.integers([0, channels, height * width])])
    const pixels = flat(x)
    const projection = conv(channels, { kernel: 1, spectralNorm })
    const projected = flat(projection(x, childScope(scope, 'projection')))
    const attended = matMul(matMul(pixels, transpose(pixels, [0, 2, 1])), projected)
    const gamma = parameter(x, scope, 'gamma', [1], zeros)
    const image = apply('Reshape', [attended, x.graph.integers([0, channels, height, width])])
    return add(mul(gamma, image), x)
  }

/** The hyperparameters of squeeze and excitation. */
export interface SqueezeExcitationOptions {
  /** Of both linear layers. Default `xavierUniform`. */
  readonly weight?: Initializer
}

/**
 * Attention over the channels of an image: y = x·σ(W₂·max(W₁·z + b₁, 0) + b₂), with z the mean of each
 * channel and `reduction` times fewer features between the two layers.
 *
 * @see Hu et al., "Squeeze-and-Excitation Networks", arXiv:1709.01507.
 */
export const squeezeExcitation =
  (reduction = 16, options: SqueezeExcitationOptions = {}): Layer =>
  (x, scope) => {
    const channels = axisSize(x, 1)
    const features = Math.max(Math.floor(channels / reduction), 1)
    const excitation = sequential(
      globalAveragePool,
      linear(features, options),
      relu,
      linear(channels, options),
    )
    const scale = sigmoid(excitation(x, scope))
    return mul(x, apply('Reshape', [scale, x.graph.integers([0, channels, 1, 1])]))
  }
