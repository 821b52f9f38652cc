import { addressOf, type State, stateOf } from '../address/address.ts'
import { RaceTab } from '../controls/race-tab.ts'
import { followKeys } from './keys.ts'
import type { Tab } from './tab.ts'
import { followTheme } from './theme.ts'

type TabName = State['tab']

/** Browsers refuse addresses that change more often, in milliseconds. */
const rest = 200

/** Makes a tab when it is first shown; the larger ones are fetched then. */
async function makeTab(state: State, keep: (state: State) => void): Promise<Tab> {
  switch (state.tab) {
    case 'race':
      return new RaceTab(state, keep)
    case 'swarm': {
      const { SwarmTab } = await import('../controls/swarm-tab.ts')
      return new SwarmTab(state, keep)
    }
    case 'train': {
      const { TrainTab } = await import('../controls/train-tab.ts')
      return new TrainTab(state, keep)
    }
  }
}

/** Starts the page: its tabs follow its address, and its address follows its tabs. */
export function openPage(document: Document): void {
  const main = document.querySelector('main')
  const button = document.querySelector<HTMLElement>('#theme')
  if (!main || !button) throw new Error('page: has no main element or theme button')
  followTheme(button)
  const tabs = new Map<TabName, Tab>()
  const addresses = new Map<TabName, string>()
  let shown: TabName | undefined

  let writing: ReturnType<typeof setTimeout> | undefined

  const keep = (state: State): void => {
    const address = addressOf(state)
    if (addresses.get(state.tab) === address) return
    addresses.set(state.tab, address)
    clearTimeout(writing)
    writing = setTimeout(() => {
      if (shown === state.tab) history.replaceState(null, '', address)
    }, rest)
    for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-tab]')) {
      if (link.dataset.tab === state.tab) link.href = address
    }
  }

  const show = async (hash: string): Promise<void> => {
    const state = stateOf(hash)
    const { tab: name } = state
    const before = shown
    shown = name
    if (before !== undefined && before !== name) tabs.get(before)?.pause()
    for (const link of document.querySelectorAll<HTMLElement>('[data-tab]')) {
      if (link.dataset.tab === name) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    const known = tabs.get(name)
    if (known) {
      main.replaceChildren(known.node)
      if (hash !== addresses.get(name)) known.open(state)
      return
    }
    const tab = await makeTab(state, keep)
    tabs.set(name, tab)
    if (shown === name) main.replaceChildren(tab.node)
  }

  // The address may have been written over since; what it was changed to is in the event.
  addEventListener('hashchange', ({ newURL }) => show(new URL(newURL).hash))
  followKeys(() => (shown === undefined ? {} : (tabs.get(shown)?.keys ?? {})))
  void show(location.hash)
}
