import type { Screen } from './progress.ts'

/** What work is told from outside. */
export interface Surface {
  /** Where its progress is shown. */
  readonly screen: Screen
  /** Aborts to end it. */
  readonly signal: AbortSignal
}
