import { squeezeExcitation } from './attention.ts'
import { fanInUniform } from './initializers.ts'
import { type Layer, residual, sequential } from './layer.ts'
import { batchNorm, conv, globalAveragePool, linear, relu } from './layers.ts'

/** The hyperparameters of an SE-ResNet. */
export interface SEResNetOptions {
  /** Channels of the first stage; they double with every stage. Default 64. */
  readonly width?: number
  /** How many times fewer features than channels squeeze and excitation has. Default 16. */
  readonly reduction?: number
  /** Default `relu`. */
  readonly activation?: Layer
}

/**
 * SE-ResNet-18 for small images, such as CIFAR's 32 × 32 pixels: a 3 × 3 convolution of stride 1 and no
 * pool, and four stages of two basic blocks whose branches end with squeeze and excitation. Weights start
 * as by default in PyTorch, and biases at zero.
 *
 * @see Hu et al., "Squeeze-and-Excitation Networks", arXiv:1709.01507; github.com/weiaicunzai/pytorch-cifar100.
 */
export const seResNet18 = (
  classes: number,
  { width = 64, reduction = 16, activation = relu }: SEResNetOptions = {},
): Layer => {
  const weight = fanInUniform
  const convNorm = (channels: number, kernel: number, stride = 1): Layer =>
    sequential(conv(channels, { kernel, stride, weight }), batchNorm())
  const block = (channels: number, stride: number): Layer => {
    const branch = sequential(
      sequential(convNorm(channels, 3, stride), activation),
      convNorm(channels, 3),
      squeezeExcitation(reduction, { weight }),
    )
    const shortcut: Layer = (x, scope) =>
      stride === 1 && x.shape[1] === channels ? x : convNorm(channels, 1, stride)(x, scope)
    return sequential(residual(branch, shortcut), activation)
  }
  const stages = [1, 2, 4, 8].map((multiple, stage) =>
    sequential(block(width * multiple, stage === 0 ? 1 : 2), block(width * multiple, 1)),
  )
  return sequential(
    sequential(convNorm(width, 3), activation),
    ...stages,
    globalAveragePool,
    linear(classes, { weight }),
  )
}
