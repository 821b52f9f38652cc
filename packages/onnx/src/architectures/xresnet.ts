import { relu } from '../layers/activation.ts'
import { type ConvOptions, conv } from '../layers/convolution.ts'
import { type Initializer, ones, zeros } from '../layers/initializers.ts'
import { type Layer, sequential } from '../layers/layer.ts'
import { linear } from '../layers/linear.ts'
import { batchNorm } from '../layers/normalization.ts'
import { averagePool, globalAveragePool, maxPool } from '../layers/pooling.ts'
import { residual } from '../layers/residual.ts'
import { simpleSelfAttention } from '../layers/simple-self-attention.ts'

/** What may be chosen about an XResNet. */
export interface XResNetOptions {
  readonly classes: number
  /** How many blocks each stage has. */
  readonly blocks: readonly number[]
  /** Channels of the stem's three convolutions. */
  readonly stem?: readonly number[]
  /** Channels of the first stage; every later one has twice those of the one before. */
  readonly width?: number
  /** How many times its inner channels a block gives: 1, or with a bottleneck 4. Default 1. */
  readonly expansion?: number
  /** Default `relu`. */
  readonly activation?: Layer
  /** Ends the branch of the first stage's last block with `simpleSelfAttention`. Default false. */
  readonly selfAttention?: boolean
  /** γ of the last normalization of every branch. Default zeros: blocks begin as their shortcuts. */
  readonly lastScale?: Initializer
}

/**
 * A ResNet as the bag of tricks makes it: three small convolutions in place of one large one,
 * shortcuts that average before they project, and branches that begin as nothing.
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
  const { block, convNormActivation } = parts({ expansion, activation, lastScale })
  /** The first block of a stage halves the image, but for the first stage. */
  const stage = (length: number, number: number): Layer =>
    sequential(
      ...Array.from({ length }, (_, i) =>
        block(width * 2 ** number, {
          stride: i === 0 && number > 0 ? 2 : 1,
          attention: selfAttention && number === 0 && i === length - 1,
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

/** An XResNet of a given depth. */
type Sized = (classes: number, options?: Partial<XResNetOptions>) => Layer

/** XResNet-18: four stages of two blocks. */
export const xResNet18: Sized = (classes, options) =>
  xResNet({ blocks: [2, 2, 2, 2], ...options, classes })

/** XResNet-34: four stages of three to six blocks. */
export const xResNet34: Sized = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], ...options, classes })

/** XResNet-50: as XResNet-34, of blocks with a bottleneck. */
export const xResNet50: Sized = (classes, options) =>
  xResNet({ blocks: [3, 4, 6, 3], expansion: 4, ...options, classes })

interface Style {
  readonly expansion: number
  readonly activation: Layer
  readonly lastScale: Initializer
}

/** What an XResNet of a style is made of. */
function parts({ expansion, activation, lastScale }: Style): {
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
