import type { Trainer } from '../trainer.ts'

/** What of a trainer works from another thread: everything that only takes and gives values. */
export const methods = [
  'step',
  'evaluate',
  'predict',
  'fallbacks',
  'set',
  'report',
  'export',
  'save',
  'load',
  'dispose',
] as const

/** The name of a method that works from another thread. */
type Method = (typeof methods)[number]

/** A call of a method. */
export interface Call {
  readonly id: number
  readonly method: Method
  readonly given: readonly unknown[]
}

/** The signal of a call has aborted. */
export interface Abort {
  readonly id: number
  readonly reason: unknown
}

/** What became of a call. The call 0 is the making of the trainer. */
export type Answer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: unknown }
)

/** A trainer in a worker. */
export type RemoteTrainer = Pick<Trainer, Method>
