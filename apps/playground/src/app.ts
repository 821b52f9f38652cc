import { RaceTab } from './race/race-tab.ts'
import type { State } from './state.ts'
import { setUpTheme } from './theme.ts'
import type { KeyActions, Tab } from './ui/tab.ts'
import { decodeState, encodeState } from './url.ts'

type TabName = State['tab']

/** The delay before the URL is updated, in milliseconds: browsers limit the rate of updates. */
const urlDelay = 200

/**
 * Creates a tab when it is first shown; the code of all but the first is loaded then. The race plays at once, unless
 * the URL says what to show.
 */
async function createTab(
  state: State,
  hash: string,
  onChange: (state: State) => void,
): Promise<Tab> {
  switch (state.tab) {
    case 'race':
      return new RaceTab(state, onChange, { plays: !hash.includes('?') })
    case 'swarm': {
      const { SwarmTab } = await import('./swarm/swarm-tab.ts')
      return new SwarmTab(state, onChange)
    }
    case 'train': {
      const { TrainTab } = await import('./train/train-tab.ts')
      return new TrainTab(state, onChange)
    }
    case 'fine-tune': {
      const { FineTuneTab } = await import('./fine-tune/fine-tune-tab.ts')
      return new FineTuneTab(state, onChange)
    }
    case 'evidence': {
      const { EvidenceTab } = await import('./evidence/evidence-tab.ts')
      return new EvidenceTab(state, onChange)
    }
  }
}

/** Starts the page: the URL selects the tab and its state, and changes of the state update the URL. */
export function startApp(document: Document): void {
  const main = document.querySelector('main')
  const themeButton = document.querySelector<HTMLElement>('#theme')
  if (!main || !themeButton) throw new Error('the page has no main element or no theme button')
  setUpTheme(themeButton)
  const tabs = new Map<TabName, Tab>()
  const hashes = new Map<TabName, string>()
  let visible: TabName | undefined
  let urlTimer: ReturnType<typeof setTimeout> | undefined

  const onChange = (state: State): void => {
    const hash = encodeState(state)
    if (hashes.get(state.tab) === hash) return
    hashes.set(state.tab, hash)
    clearTimeout(urlTimer)
    urlTimer = setTimeout(() => {
      if (visible === state.tab) history.replaceState(null, '', hash)
    }, urlDelay)
    for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-tab]')) {
      if (link.dataset.tab === state.tab) link.href = hash
    }
  }

  const show = async (hash: string): Promise<void> => {
    const state = decodeState(hash)
    const name = state.tab
    if (visible !== undefined && visible !== name) tabs.get(visible)?.pause()
    visible = name
    for (const link of document.querySelectorAll<HTMLElement>('[data-tab]')) {
      if (link.dataset.tab === name) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    const existing = tabs.get(name)
    if (existing) {
      main.replaceChildren(existing.node)
      if (hash !== hashes.get(name)) existing.open(state)
      return
    }
    const tab = await createTab(state, hash, onChange)
    tabs.set(name, tab)
    if (visible === name) main.replaceChildren(tab.node)
  }

  // `location` may have been replaced since the event; the event holds the hash that it is about.
  addEventListener('hashchange', ({ newURL }) => show(new URL(newURL).hash))
  handleKeys(() => (visible === undefined ? {} : (tabs.get(visible)?.keys ?? {})))
  void show(location.hash)
}

/** Runs the action of a pressed key, unless the focused element uses keys itself. */
function handleKeys(actions: () => KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || usesKeys(event.target)) return
    const action = actions()[event.key]
    if (!action) return
    event.preventDefault()
    action()
  })
}

const usesKeys = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('input, select, textarea, button, summary, a') !== null
