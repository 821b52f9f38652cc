import type { Batch } from '../batch.ts'
import type { StepChoice } from '../options.ts'
import type { Trainer } from '../trainer.ts'
import type { SentError } from './sent-error.ts'

/** What of a trainer works from another thread as it is: it only takes and gives values. */
export const methods = [
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

/** The name of a method that works from another thread as it is. */
export type Method = (typeof methods)[number]

/** A trainer in a worker. */
export type RemoteTrainer = Pick<Trainer, 'step' | Method>

/** The call of a method. A signal stays where it is; that it aborts is another message. */
export type Call =
  | { readonly method: 'step'; readonly given: readonly [Batch, Omit<StepChoice, 'signal'>] }
  | { readonly method: Method; readonly given: readonly unknown[] }

/** What is sent to a worker: a call, or that the signal of a call has aborted. */
export type Message = { readonly id: number } & (
  | { readonly call: Call }
  | { readonly aborted: true }
)

/** What became of a call. The call 0 is the making of the trainer. */
export type Answer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: SentError }
  | { readonly aborted: true }
)
