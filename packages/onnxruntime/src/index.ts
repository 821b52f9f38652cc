export type { Batch, BatchValue } from './batch.ts'
export { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint/checkpoint.ts'
export { TrainerError } from './error.ts'
export { accuracy, type Metric, type Output, type Outputs } from './metrics.ts'
export type { Runtime, SessionOptions } from './runtime.ts'
export {
  type Judgement,
  type StepChoice,
  type StepResult,
  Trainer,
  type TrainerOptions,
  type WeightsChoice,
} from './trainer.ts'
export type { OptimizerChoice } from './update/update.ts'
export { connectTrainer, type WorkerLike } from './worker/connect.ts'
export type { RemoteTrainer } from './worker/message.ts'
export { serveTrainer } from './worker/serve.ts'
