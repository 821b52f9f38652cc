import type { State } from '../state.ts'

/** Actions by `KeyboardEvent.key`, for keys pressed while no control has the focus. */
export type KeyActions = Readonly<Record<string, () => void>>

/** What the app needs of each tab. A constructor takes the first state and a callback for every change of it. */
export interface Tab {
  readonly node: HTMLElement
  readonly keys: KeyActions
  /** Shows another state of this tab. States of other tabs are ignored. */
  open(state: State): void
  /** Stops what runs, because another tab becomes visible. */
  pause(): void
}
