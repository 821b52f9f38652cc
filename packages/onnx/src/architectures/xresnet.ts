import { relu } from '../layers/activation.ts'
import { type ConvOptions, conv } from '../layers/convolution.ts'
import { type Initializer, ones, zeros } from '../layers/initializers.ts'
import { type Layer, sequential } from '../layers/layer.ts'
import { linear } from '../layers/linear.ts'
import { batchNorm } from '../layers/normalization.ts'
import { averagePool, globalAveragePool, maxPool } from '../layers/pooling.ts'
import { residual } from '../layers/residual.ts'

/** What may be chosen about an XResNet. */
export interface XResNetOptions {
  readonly classes: number
  /** How many blocks each stage has. */
  readonly blocks: readonly number[]
  /** Channels of the stem's three convolutions. */
  readonly stem?: readonly number[]
  /** Channels of the first stage; every later one has twice those of the one before. */
  readonly width?: number
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
  lastScale = zeros,
}: XResNetOptions): Layer =>
  sequential(
    sequential(...stem.map((channels, i) => convNormRelu(channels, { stride: i === 0 ? 2 : 1 }))),
    maxPool(3, { stride: 2, padding: 1 }),
    ...blocks.map((n, i) => stage(n, width * 2 ** i, { stride: i === 0 ? 1 : 2, lastScale })),
    globalAveragePool,
    linear(classes),
  )

/** XResNet-18: four stages of two blocks. */
export const xResNet18 = (classes: number, options: Partial<XResNetOptions> = {}): Layer =>
  xResNet({ blocks: [2, 2, 2, 2], ...options, classes })

interface BlockOptions {
  readonly stride: number
  readonly lastScale: Initializer
}

const convNorm = (channels: number, options: ConvOptions, scale: Initializer = ones): Layer =>
  sequential(conv(channels, options), batchNorm({ scale }))

const convNormRelu = (channels: number, options: ConvOptions = {}): Layer =>
  sequential(convNorm(channels, options), relu)

/** The first block of a stage halves the image, but for the first stage. */
const stage = (blocks: number, channels: number, { stride, lastScale }: BlockOptions): Layer =>
  sequential(
    ...Array.from({ length: blocks }, (_, i) =>
      block(channels, { stride: i === 0 ? stride : 1, lastScale }),
    ),
  )

const block = (channels: number, { stride, lastScale }: BlockOptions): Layer =>
  sequential(
    residual(
      sequential(convNormRelu(channels, { stride }), convNorm(channels, {}, lastScale)),
      shortcut(channels, stride),
    ),
    relu,
  )

const shortcut =
  (channels: number, stride: number): Layer =>
  (x, scope) => {
    const shrink = stride === 1 ? [] : [averagePool(stride, { roundUp: true })]
    const project = x.shape[1] === channels ? [] : [convNorm(channels, { kernel: 1 })]
    return sequential(...shrink, ...project)(x, scope)
  }
