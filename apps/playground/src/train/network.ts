import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  linear,
  type Model,
  maxPool,
  relu,
  sequential,
} from '@diffgrad/onnx'
import { accuracy, type Runtime, Trainer } from '@diffgrad/onnxruntime'
import { optimizers } from '../optimizers/registry.ts'
import { edge } from './pictures.ts'
import type { TrainingRequest } from './worker-client.ts'

export const batchSize = 32

/** Creates one trainer per optimizer, of the same network with the same initial weights. */
export async function createTrainers(
  runtime: Runtime,
  request: TrainingRequest,
): Promise<readonly Trainer[]> {
  const trainers: Trainer[] = []
  for (const { name, options } of request.optimizers) {
    const trainer = await Trainer.create(runtime, buildNetwork(request.seed), {
      loss: crossEntropy(),
      optimizer: { rule: optimizers[name].rule, ...options },
      dimensions: { batch: batchSize },
      metrics: { accuracy: accuracy() },
      session: { executionProviders: [request.provider] },
    })
    trainers.push(trainer)
  }
  return trainers
}

/** A small convolutional network for ten classes of pictures. */
function buildNetwork(seed: number): Model {
  const blocks = [16, 32, 64, 128].map((channels) =>
    sequential(conv(channels), batchNorm(), relu, maxPool(2)),
  )
  const layers = sequential(...blocks, globalAveragePool, linear(10))
  return buildModel(layers, { shape: ['batch', 3, edge, edge], seed })
}
