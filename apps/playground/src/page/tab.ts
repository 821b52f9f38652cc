import type { State } from '../address/address.ts'
import type { KeyActions } from './keys.ts'

/** A tab of the page. */
export interface Tab {
  readonly node: HTMLElement
  /** Shows a state of this tab; one of another tab is not for it. */
  open(state: State): void
  /** Ends what runs, because another tab is shown. */
  pause(): void
  readonly keys: KeyActions
}
