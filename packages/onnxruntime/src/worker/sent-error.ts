import { NotFiniteError, TrainerError } from '../error.ts'

/** Something thrown, on its way between threads: a class of this package would get lost there. */
export interface SentError {
  readonly thrown: unknown
  readonly name: TrainerError['name'] | undefined
}

const classes = { TrainerError, NotFiniteError }

export const sentError = (thrown: unknown): SentError => ({
  thrown,
  name: thrown instanceof TrainerError ? thrown.name : undefined,
})

/** What was thrown, of the class that it had. */
export function arrived({ thrown, name }: SentError): unknown {
  if (!name || !(thrown instanceof Error)) return thrown
  return new classes[name](thrown.message, { cause: thrown.cause })
}
