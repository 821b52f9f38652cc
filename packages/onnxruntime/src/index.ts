export type { Batch, BatchValue } from './batch.ts'
export {
  type Checkpoint,
  readCheckpoint,
  writeCheckpoint,
} from './checkpoint/checkpoint.ts'
export { NotFiniteError, TrainerError } from './error.ts'
export type { Judgement } from './judge.ts'
export { accuracy, type Metric, type Output, type Outputs } from './metrics.ts'
export type { StepChoice, TrainerOptions, WeightsChoice } from './options.ts'
export type { Runtime, SessionOptions } from './runtime.ts'
export { Trainer } from './trainer.ts'
export type { OptimizerChoice, StepResult } from './update/update.ts'
export { connectTrainer, type WorkerLike } from './worker/connect.ts'
export type { RemoteTrainer } from './worker/message.ts'
export { serveTrainer } from './worker/serve.ts'
