import { OnnxError } from '../model/error.ts'
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
  /**
   * Makes the stem keep the size of the image: with stride 1 and without the pool, for images such as
   * CIFAR's 32 × 32 pixels. Default false.
   */
  readonly smallImages?: boolean
  /** Halves the image after the stem. Default `maxPool(3, { stride: 2, padding: 1 })`. */
  readonly pool?: Layer
  /**
   * Channels of the first stage. They double with every stage up to the fourth; further stages have four
   * times as many as the first. Default 64.
   */
  readonly width?: number
  /** Output channels of a block per inner channel: 1 for basic blocks, 4 for bottlenecks. Default 1. */
  readonly expansion?: number
  /** Default `relu`. */
  readonly activation?: Layer
  /**
   * Ends the branch of a stage's last block with `simpleSelfAttention`: of the first stage, or of the
   * fourth from the end if there are more. Default false.
   */
  readonly selfAttention?: boolean
  /** Divides the projection of the self-attention by its spectral norm. Default false. */
  readonly spectralNorm?: boolean
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
  smallImages = false,
  pool = maxPool(3, { stride: 2, padding: 1 }),
  width = 64,
  expansion = 1,
  activation = relu,
  selfAttention = false,
  spectralNorm = false,
  lastScale = zeros,
}: XResNetOptions): Layer => {
  if (spectralNorm && !selfAttention)
    throw new OnnxError('xResNet: spectralNorm needs selfAttention, but selfAttention is false')
  const attention = simpleSelfAttention({ spectralNorm })
  const { block, convNormActivation } = blockLayers({ expansion, activation, lastScale })
  const attentive = Math.max(blocks.length - 4, 0)
  /** The first block of every stage but the first halves the image. */
  const stage = (length: number, index: number): Layer =>
    sequential(
      ...Array.from({ length }, (_, i) =>
        block(width * (index < 4 ? 2 ** index : 4), {
          stride: i === 0 && index > 0 ? 2 : 1,
          ...(selfAttention && index === attentive && i === length - 1 && { attention }),
        }),
      ),
    )
  return sequential(
    sequential(
      ...stem.map((channels, i) =>
        convNormActivation(channels, { stride: i === 0 && !smallImages ? 2 : 1 }),
      ),
    ),
    smallImages ? (x) => x : pool,
    ...blocks.map(stage),
    globalAveragePool,
    linear(classes),
  )
}

/** An XResNet with the blocks of a given depth. */
export type XResNetPreset = (classes: number, options?: Partial<XResNetOptions>) => Layer

/** XResNet-18: four stages of two blocks. */
export const xResNet18: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [2, 2, 2, 2], ...options, classes })

/** XResNet-34: four stages of three to six blocks. */
export const xResNet34: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], ...options, classes })

/** XResNet-50: the blocks of XResNet-34 as bottlenecks. */
export const xResNet50: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], expansion: 4, ...options, classes })

// Fastai's deep variants: two or four more stages, of one block each.

/** XResNet-18 with six stages, as fastai's xresnet18_deep. */
export const xResNet18Deep: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [2, 2, 2, 2, 1, 1], ...options, classes })

/** XResNet-34 with six stages, as fastai's xresnet34_deep. */
export const xResNet34Deep: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3, 1, 1], ...options, classes })

/** XResNet-50 with six stages, as fastai's xresnet50_deep. */
export const xResNet50Deep: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3, 1, 1], expansion: 4, ...options, classes })

/** XResNet-18 with eight stages and fewer blocks in the third and fourth, as fastai's xresnet18_deeper. */
export const xResNet18Deeper: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [2, 2, 1, 1, 1, 1, 1, 1], ...options, classes })

/** XResNet-34 with eight stages, as fastai's xresnet34_deeper. */
export const xResNet34Deeper: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3, 1, 1, 1, 1], ...options, classes })

/** XResNet-50 with eight stages, as fastai's xresnet50_deeper. */
export const xResNet50Deeper: XResNetPreset = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3, 1, 1, 1, 1], expansion: 4, ...options, classes })

interface BlockOptions {
  readonly expansion: number
  readonly activation: Layer
  readonly lastScale: Initializer
}

/** The layers that an XResNet is composed of. */
function blockLayers({ expansion, activation, lastScale }: BlockOptions): {
  readonly convNormActivation: (channels: number, options?: ConvOptions) => Layer
  readonly block: (channels: number, options: { stride: number; attention?: Layer }) => Layer
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
      const isPixel = x.shape[2] === 1 && x.shape[3] === 1
      const halve: Layer = isPixel ? (pixel) => pixel : averagePool(stride, { roundUp: true })
      const shrink = stride === 1 ? [] : [halve]
      const project = x.shape[1] === channels ? [] : [convNorm(channels, { kernel: 1 })]
      return sequential(...shrink, ...project)(x, scope)
    }
  return {
    convNormActivation,
    block: (channels, { stride, attention }) =>
      sequential(
        residual(
          sequential(...convolutions(channels, stride), ...(attention ? [attention] : [])),
          shortcut(channels * expansion, stride),
        ),
        activation,
      ),
  }
}
