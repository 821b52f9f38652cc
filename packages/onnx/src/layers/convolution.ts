import { sizeOf } from '../ir/value.ts'
import { apply } from '../ops/operations.ts'
import { type Initializer, kaimingNormal, zeros } from './initializers.ts'
import { type Layer, parameter } from './layer.ts'

/** How a convolution slides, and what it starts from. */
export interface ConvOptions {
  /** The kernel's height and width. Default 3. */
  readonly kernel?: number
  readonly stride?: number
  /** Zeros around the image. By default so many that stride 1 keeps its size. */
  readonly padding?: number
  readonly dilation?: number
  readonly groups?: number
  readonly bias?: boolean
  readonly weight?: Initializer
}

/** A convolution of images (batch × channels × height × width) to so many channels. No bias unless asked for. */
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
    }: ConvOptions = {},
  ): Layer =>
  (x, scope) => {
    const inputs = sizeOf(x, 1)
    const shape = [channels, inputs / groups, kernel, kernel]
    const w = parameter(x, scope, 'weight', shape, weight)
    const b = bias ? parameter(x, scope, 'bias', [channels], zeros) : undefined
    return apply('Conv', [x, w, b], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [dilation, dilation],
      group: groups,
    })
  }
