import {
  batchNorm,
  buildModel,
  conv,
  globalAveragePool,
  linear,
  type Model,
  maxPool,
  relu,
  sequential,
} from '@diffgrad/onnx'
import { edge } from './pictures.ts'

/** A small convolutional network for ten classes of pictures. */
export function network(seed: number): Model {
  const blocks = [16, 32, 64, 128].map((channels) =>
    sequential(conv(channels), batchNorm(), relu, maxPool(2)),
  )
  const layers = sequential(...blocks, globalAveragePool, linear(10))
  return buildModel(layers, { shape: ['batch', 3, edge, edge], seed })
}
