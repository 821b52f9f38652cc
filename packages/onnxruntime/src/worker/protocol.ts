import type { Batch } from '../batch.ts'
import { NotFiniteError, TrainerError } from '../errors.ts'
import type { StepOptions } from '../options.ts'
import type { Trainer } from '../trainer.ts'

/** Methods of a trainer whose arguments and results can be sent between threads unchanged. */
export const remoteMethods = [
  'evaluate',
  'predict',
  'reestimate',
  'fallbacks',
  'set',
  'report',
  'export',
  'exportFiles',
  'saveAdapters',
  'save',
  'load',
  'dispose',
] as const

export type RemoteMethod = (typeof remoteMethods)[number]

/** A trainer in a worker. */
export type RemoteTrainer = Pick<Trainer, 'step' | RemoteMethod>

/** A method with its arguments. A signal cannot be sent: an `aborted` request stands for it. */
export type MethodCall =
  | { readonly method: 'step'; readonly args: readonly [Batch, Omit<StepOptions, 'signal'>] }
  | { readonly method: RemoteMethod; readonly args: readonly unknown[] }

/** A message to the worker: a call, or that the signal of the call of this id has aborted. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly call: MethodCall }
  | { readonly aborted: true }
)

/** A message from the worker: the result of the call of this id. Id 0 is the creation of the trainer. */
export type WorkerResponse = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: SerializedError }
  | { readonly aborted: true }
)

/** A thrown value between threads, where structured clone loses the classes of this package. */
export interface SerializedError {
  readonly thrown: unknown
  readonly name: TrainerError['name'] | undefined
}

const errorClasses = { TrainerError, NotFiniteError }

export const serializeError = (thrown: unknown): SerializedError => ({
  thrown,
  name: thrown instanceof TrainerError ? thrown.name : undefined,
})

/** The thrown value, of its original class. */
export function deserializeError({ thrown, name }: SerializedError): unknown {
  if (!name || !(thrown instanceof Error)) return thrown
  return new errorClasses[name](thrown.message, { cause: thrown.cause })
}
