export { readAdapters } from './adapters.ts'
export type { Batch, BatchValue } from './batch.ts'
export { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
export { NotFiniteError, TrainerError } from './errors.ts'
export {
  accuracy,
  type EvaluationResult,
  type Metric,
  type Output,
  type Outputs,
} from './metrics.ts'
export type { OptimizerSpec, StepOptions, TrainerOptions, WeightsOptions } from './options.ts'
export { loweringFor, type Runtime, type SessionOptions } from './runtime.ts'
export { type ModelFiles, Trainer } from './trainer.ts'
export type { StepResult } from './update/update.ts'
export { connectTrainer, type WorkerLike } from './worker/connect.ts'
export type { RemoteTrainer } from './worker/protocol.ts'
export { serveTrainer } from './worker/serve.ts'
