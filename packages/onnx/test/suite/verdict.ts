import { OnnxError } from '../../src/model/error.ts'

/** What became of one thing that a case checks. `skipped`: nothing to compare, for the reason given. */
export interface Verdict {
  readonly verdict: 'right' | 'refused' | 'wrong' | 'skipped'
  readonly reason?: string
}

/** Nothing to compare. */
export const skipped = (reason: string): Verdict => ({ verdict: 'skipped', reason })

/** The message of an error, on one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n').join(' ').slice(0, 300)

/** An `OnnxError` refuses by name; any other error is a fault. */
export const refusal = (error: unknown): Verdict =>
  error instanceof OnnxError
    ? { verdict: 'refused', reason: error.message }
    : { verdict: 'wrong', reason: `threw ${messageOf(error)}` }
