import { apply } from '../ops/operations.ts'
import type { Layer } from './layer.ts'

/** How a window slides over an image. */
export interface PoolOptions {
  /** By default the kernel's size: windows lie side by side. */
  readonly stride?: number
  readonly padding?: number
  /** Lets the last window hang over the edge, rather than leave out what does not fill one. */
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

/** The largest element of every window. */
export const maxPool: Pool = pool('MaxPool')

/** The mean of every window; padding does not count. */
export const averagePool: Pool = pool('AveragePool')

/** The mean of every channel, as a matrix of batch × channels. */
export const globalAveragePool: Layer = (x) => apply('Flatten', [apply('GlobalAveragePool', [x])])
