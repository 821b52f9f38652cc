import { simpleSelfAttention } from './attention.ts'
import { type Initializer, ones, zeros } from './initializers.ts'
import { type Layer, residual, sequential } from './layer.ts'
import {
  averagePool,
  batchNorm,
  type ConvOptions,
  conv,
  globalAveragePool,
  linear,
  maxPool,
  relu,
} from './layers.ts'

/** The hyperparameters of an XResNet. */
export interface XResNetOptions {
  readonly classes: number
  /** The number of blocks of each stage. */
  readonly blocks: readonly number[]
  /** Channels of the stem's convolutions. Default [32, 32, 64]. */
  readonly stem?: readonly number[]
  /** Channels of the first stage; they double with every stage. Default 64. */
  readonly width?: number
  /** Output channels of a block per inner channel: 1 for basic blocks, 4 for bottlenecks. Default 1. */
  readonly expansion?: number
  /** Default `relu`. */
  readonly activation?: Layer
  /** Ends the branch of the first stage's last block with `simpleSelfAttention`. Default false. */
  readonly selfAttention?: boolean
  /** The initial γ of every branch's last normalization. Default zeros: blocks start as their shortcuts. */
  readonly lastScale?: Initializer
}

/**
 * A ResNet with the tricks of He et al.: three small convolutions instead of a large one in the stem,
 * average pooling before the projection of shortcuts, and branches that start at zero.
 *
 * @see He et al., "Bag of Tricks for Image Classification with Convolutional Neural Networks",
 * arXiv:1812.01187.
 */
export const xResNet = ({
  classes,
  blocks,
  stem = [32, 32, 64],
  width = 64,
  expansion = 1,
  activation = relu,
  selfAttention = false,
  lastScale = zeros,
}: XResNetOptions): Layer => {
  const { block, convNormActivation } = blockLayers({ expansion, activation, lastScale })
  /** The first block of every stage but the first halves the image. */
  const stage = (length: number, index: number): Layer =>
    sequential(
      ...Array.from({ length }, (_, i) =>
        block(width * 2 ** index, {
          stride: i === 0 && index > 0 ? 2 : 1,
          attention: selfAttention && index === 0 && i === length - 1,
        }),
      ),
    )
  return sequential(
    sequential(
      ...stem.map((channels, i) => convNormActivation(channels, { stride: i === 0 ? 2 : 1 })),
    ),
    maxPool(3, { stride: 2, padding: 1 }),
    ...blocks.map(stage),
    globalAveragePool,
    linear(classes),
  )
}

/** An XResNet with the blocks of a given depth. */
type XResNetPreset = (classes: number, options?: Partial<XResNetOptions>) => Layer

/** XResNet-18: four stages of two blocks. */
export const xResNet18: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [2, 2, 2, 2], ...options, classes })

/** XResNet-34: four stages of three to six blocks. */
export const xResNet34: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], ...options, classes })

/** XResNet-50: the blocks of XResNet-34 as bottlenecks. */
export const xResNet50: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], expansion: 4, ...options, classes })

interface BlockOptions {
  readonly expansion: number
  readonly activation: Layer
  readonly lastScale: Initializer
}

/** The layers that an XResNet is composed of. */
function blockLayers({ expansion, activation, lastScale }: BlockOptions): {
  readonly convNormActivation: (channels: number, options?: ConvOptions) => Layer
  readonly block: (channels: number, options: { stride: number; attention: boolean }) => Layer
} {
  const convNorm = (channels: number, options: ConvOptions, scale: Initializer = ones): Layer =>
    sequential(conv(channels, options), batchNorm({ scale }))
  const convNormActivation = (channels: number, options: ConvOptions = {}): Layer =>
    sequential(convNorm(channels, options), activation)
  const convolutions = (channels: number, stride: number): readonly Layer[] =>
    expansion === 1
      ? [convNormActivation(channels, { stride }), convNorm(channels, {}, lastScale)]
      : [
          convNormActivation(channels, { kernel: 1 }),
          convNormActivation(channels, { stride }),
          convNorm(channels * expansion, { kernel: 1 }, lastScale),
        ]
  const shortcut =
    (channels: number, stride: number): Layer =>
    (x, scope) => {
      const shrink = stride === 1 ? [] : [averagePool(stride, { roundUp: true })]
      const project = x.shape[1] === channels ? [] : [convNorm(channels, { kernel: 1 })]
      return sequential(...shrink, ...project)(x, scope)
    }
  return {
    convNormActivation,
    block: (channels, { stride, attention }) =>
      sequential(
        residual(
          sequential(
            ...convolutions(channels, stride),
            ...(attention ? [simpleSelfAttention] : []),
          ),
          shortcut(channels * expansion, stride),
        ),
        activation,
      ),
  }
}
