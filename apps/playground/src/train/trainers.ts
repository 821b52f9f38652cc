import type { UpdateRule } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { accuracy, type Runtime, Trainer } from '@diffgrad/onnxruntime'
import { field } from '../optimizers/field.ts'
import type { Racer } from '../optimizers/racer.ts'
import type { Order } from './message.ts'
import { network } from './network.ts'

/** How many pictures a step sees. */
export const batchSize = 32

/** A trainer for each racer: the same network, the same initial weights. */
export async function trainersOf(
  runtime: Runtime,
  { racers, engine, seed }: Order,
): Promise<readonly Trainer[]> {
  const trainers: Trainer[] = []
  for (const racer of racers) {
    const trainer = await Trainer.create(runtime, network(seed), {
      loss: crossEntropy(),
      optimizer: choiceOf(racer),
      dimensions: { batch: batchSize },
      metrics: { accuracy: accuracy() },
      session: { executionProviders: [engine] },
    })
    trainers.push(trainer)
  }
  return trainers
}

/** The rule of a racer and its options, which the trainer checks. */
const choiceOf = ({ name, options }: Racer): { readonly rule: UpdateRule } => ({
  rule: field[name].rule,
  ...options,
})
