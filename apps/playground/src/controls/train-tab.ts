import type { State } from '../address/address.ts'
import { element } from '../dom/element.ts'
import type { KeyActions } from '../page/keys.ts'
import type { Tab } from '../page/tab.ts'
export class TrainTab implements Tab {
  readonly node: HTMLElement = element('p')
  readonly keys: KeyActions = {}
  constructor(_s: State, _k: unknown) {}
  open(): void {}
  pause(): void {}
}
