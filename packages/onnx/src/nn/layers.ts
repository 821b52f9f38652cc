import type { Value } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { apply } from '../ops/apply.ts'
import { add, div, matMul, mul, reshape, sigmoid } from '../ops/builders.ts'
import {
  type Initializer,
  kaimingNormal,
  ones,
  unitVector,
  xavierUniform,
  zeros,
} from './initializers.ts'
import { type Layer, parameter, type Scope } from './layer.ts'

/** max(x, 0) */
export const relu: Layer = (x) => apply('Relu', [x])

/** x·Φ(x), with Φ the cumulative standard normal distribution. */
export const gelu: Layer = (x) => apply('Gelu', [x])

/** x·σ(x), also called swish. */
export const silu: Layer = (x) => mul(x, sigmoid(x))

/** x·tanh(ln(1 + eˣ)) */
export const mish: Layer = (x) => apply('Mish', [x])

/** Sets elements to 0 in training, with probability `ratio` in [0, 1), and divides the others by 1 − ratio. */
export const dropout =
  (ratio: number): Layer =>
  (x) =>
    apply('Dropout', [x, x.graph.scalar(ratio)])

/**
 * W / σ, with σ ≈ uᵀ·W·v the largest singular value of a weight as a matrix with its first axis as rows. A
 * training step makes one power iteration for u and v, which are running statistics, and its gradient
 * flows through σ: as `torch.nn.utils.spectral_norm`.
 *
 * @see Miyato et al., "Spectral Normalization for Generative Adversarial Networks", arXiv:1802.05957.
 */
function divideBySpectralNorm(w: Value, scope: Scope): Value {
  const [rows = 1, ...others] = staticShape(w)
  const columns = elementCount(others)
  const u = parameter(w, scope, 'weight_u', [rows], unitVector)
  const v = parameter(w, scope, 'weight_v', [columns], unitVector)
  return div(w, matMul(u, matMul(reshape(w, [rows, columns]), v)))
}

interface WeightOptions {
  readonly shape: readonly number[]
  readonly weight: Initializer
  readonly spectralNorm: boolean
}

/** Adds the weight of a layer to the graph of the layer's input. */
function weightOf(x: Value, scope: Scope, { shape, weight, spectralNorm }: WeightOptions): Value {
  const w = parameter(x, scope, 'weight', shape, weight)
  return spectralNorm ? divideBySpectralNorm(w, scope) : w
}

/** The hyperparameters of a linear layer. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean
  /** Default `xavierUniform`. */
  readonly weight?: Initializer
  /** Divides the weight by its spectral norm (Miyato et al., arXiv:1802.05957). Default false. */
  readonly spectralNorm?: boolean
}

/** y = x·Wᵀ + b over the last axis. W has the shape features × inputs. */
export const linear =
  (
    features: number,
    { bias = true, weight = xavierUniform, spectralNorm = false }: LinearOptions = {},
  ): Layer =>
  (x, scope) => {
    const shape = [features, axisSize(x, -1)]
    const w = weightOf(x, scope, { shape, weight, spectralNorm })
    const b = bias ? parameter(x, scope, 'bias', [features], zeros) : undefined
    if (x.shape.length === 2) return apply('Gemm', [x, w, b], { transB: 1 })
    const product = matMul(x, apply('Transpose', [w], { perm: [1, 0] }))
    return b ? add(product, b) : product
  }

/** The hyperparameters of a convolution. */
export interface ConvOptions {
  /** The kernel's height and width. Default 3. */
  readonly kernel?: number
  /** Default 1. */
  readonly stride?: number
  /** Zero padding on every side. By default stride 1 keeps the size of the image. */
  readonly padding?: number
  /** Default 1. */
  readonly dilation?: number
  /** Default 1. */
  readonly groups?: number
  /** Default false. */
  readonly bias?: boolean
  /** Default `kaimingNormal`. */
  readonly weight?: Initializer
  /** Divides the weight by its spectral norm (Miyato et al., arXiv:1802.05957). Default false. */
  readonly spectralNorm?: boolean
}

/** A convolution of images (batch × channels × height × width) with `channels` output channels. */
export const conv =
  (
    channels: number,
    {
      kernel = 3,
      stride = 1,
      dilation = 1,
      padding = Math.floor((dilation * (kernel - 1)) / 2),
      groups = 1,
      bias = false,
      weight = kaimingNormal,
      spectralNorm = false,
    }: ConvOptions = {},
  ): Layer =>
  (x, scope) => {
    const inputs = axisSize(x, 1)
    const shape = [channels, inputs / groups, kernel, kernel]
    const w = weightOf(x, scope, { shape, weight, spectralNorm })
    const b = bias ? parameter(x, scope, 'bias', [channels], zeros) : undefined
    return apply('Conv', [x, w, b], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [dilation, dilation],
      group: groups,
    })
  }

/** The hyperparameters of a normalization. */
export interface NormalizationOptions {
  /** ε, added to the variance. Default 1e-5. */
  readonly epsilon?: number
  /** The initial γ. Default ones; zeros make a residual block start as its shortcut. */
  readonly scale?: Initializer
}

/** Batch normalization: per channel, by batch statistics in training and by running statistics else. */
export const batchNorm =
  ({
    epsilon = 1e-5,
    scale = ones,
    momentum = 0.9,
  }: NormalizationOptions & {
    /** The share of the running statistics that a step keeps, in [0, 1]. Default 0.9. */
    readonly momentum?: number
  } = {}): Layer =>
  (x, scope) => {
    const shape = [axisSize(x, 1)]
    const inputs = [
      parameter(x, scope, 'weight', shape, scale),
      parameter(x, scope, 'bias', shape, zeros),
      parameter(x, scope, 'running_mean', shape, zeros),
      parameter(x, scope, 'running_var', shape, ones),
    ]
    return apply('BatchNormalization', [x, ...inputs], {
      epsilon: { float: epsilon },
      momentum: { float: momentum },
    })
  }

/** Layer normalization over the last axis. */
export const layerNorm =
  ({ epsilon = 1e-5, scale = ones }: NormalizationOptions = {}): Layer =>
  (x, scope) => {
    const shape = [axisSize(x, -1)]
    const weight = parameter(x, scope, 'weight', shape, scale)
    const bias = parameter(x, scope, 'bias', shape, zeros)
    return apply('LayerNormalization', [x, weight, bias], { axis: -1, epsilon: { float: epsilon } })
  }

/** The hyperparameters of a pooling layer. */
export interface PoolOptions {
  /** Default: the kernel's size, so that windows do not overlap. */
  readonly stride?: number
  /** Default 0. */
  readonly padding?: number
  /** Whether a last window that reaches beyond the edge counts (`ceil_mode`). Default false. */
  readonly roundUp?: boolean
}

const pool =
  (operator: string) =>
  (kernel: number, { stride = kernel, padding = 0, roundUp = false }: PoolOptions = {}): Layer =>
  (x) =>
    apply(operator, [x], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      ceil_mode: Number(roundUp),
    })

type Pool = (kernel: number, options?: PoolOptions) => Layer

/** The maximum of every window. */
export const maxPool: Pool = pool('MaxPool')

/** The mean of every window, padding excluded. */
export const averagePool: Pool = pool('AveragePool')

/**
 * The maximum of every 2 × 2 window at stride 1, and then a binomial filter, such as [1 2 1] / 4, of every
 * row and column at stride 2: the image is halved with less aliasing. The filter pads with zeros, and a
 * filter of n taps is n − 1 means of neighbours.
 *
 * @param taps - of the filter, at least 2. Default 3.
 * @see Zhang, "Making Convolutional Networks Shift-Invariant Again", arXiv:1904.11486; padding as in
 * kornia's MaxBlurPool2d.
 */
export const maxBlurPool =
  (taps = 3): Layer =>
  (x) => {
    const padded = Math.floor((taps - 1) / 2)
    const means = Array.from({ length: taps - 1 }, (_, i) => ({
      kernel_shape: [2, 2],
      strides: i === taps - 2 ? [2, 2] : [1, 1],
      pads: i < padded ? [1, 1, 1, 1] : [0, 0, 0, 0],
      count_include_pad: 1,
    }))
    const maxima = apply('MaxPool', [x], { kernel_shape: [2, 2], strides: [1, 1] })
    return means.reduce<Value>((y, attributes) => apply('AveragePool', [y], attributes), maxima)
  }

/** The mean of every channel: batch × channels. */
export const globalAveragePool: Layer = (x) => apply('Flatten', [apply('GlobalAveragePool', [x])])
