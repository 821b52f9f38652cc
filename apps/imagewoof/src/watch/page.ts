import { createHash } from 'node:crypto'
import { Html, html, page } from '../report/page.ts'

/** The live page without its sections, which its script receives as events. */
export function livePage(): { readonly markup: string; readonly policy: string } {
  const markup = page('Training', [
    new Html(`<style>${style}</style>`),
    html`<p id="live" role="status" data-state="connecting">connecting</p>
<noscript><p>This page needs JavaScript.</p></noscript>
<main id="sections"></main>
<script>${new Html(script)}</script>`,
  ])
  return { markup, policy: policyOf(markup) }
}

/** A Content-Security-Policy that permits the scripts of a page and its connection, and nothing else. */
function policyOf(markup: string): string {
  const hashes = [...markup.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  )
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/**
 * Replaces the sections that changed, and keeps opened details open. The browser connects again by itself;
 * after an interruption, a resumed training continues on the same page.
 */
const script = `
const bar = document.getElementById('live')
const root = document.getElementById('sections')
const titleOf = () => document.querySelector('#sections h1')?.textContent ?? 'Training'
let ended = false
const show = ({ state, text }) => {
  bar.dataset.state = state
  bar.textContent = (state === 'training' ? [text] : [state, text]).filter(Boolean).join(' · ')
  document.title = (state === 'training' ? '▶ ' : state === 'finished' ? '✓ ' : '') + titleOf()
}
const connect = () => {
  const events = new EventSource('/events')
  events.addEventListener('status', ({ data }) => {
    const status = JSON.parse(data)
    show(status)
    ended = ['finished', 'interrupted', 'failed'].includes(status.state)
    if (status.state === 'finished') events.close()
  })
  events.addEventListener('report', ({ data }) => {
    const { count, changed } = JSON.parse(data)
    const open = [...root.querySelectorAll('details[open] > summary')].map((summary) => summary.textContent)
    while (root.children.length > count) root.lastElementChild.remove()
    while (root.children.length < count) root.append(document.createElement('section'))
    for (const [i, markup] of changed) root.children[i].innerHTML = markup
    for (const details of root.querySelectorAll('details'))
      if (open.includes(details.querySelector('summary')?.textContent)) details.open = true
  })
  events.onerror = () => {
    if (!ended) show({ state: 'disconnected', text: 'the training may have ended; connecting again' })
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000)
  }
}
connect()
`

const style = `
#live { position: sticky; top: 0; z-index: 1; margin: 0 0 1.25rem; padding: 0.5rem 0.9rem; max-width: none;
  background: var(--surface); border: 1px solid var(--line); border-left: 5px solid var(--series-8);
  border-radius: 8px; font-size: 0.9rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
#live[data-state=training] { border-left-color: var(--series-0); }
#live[data-state=finished] { border-left-color: var(--series-2); }
#live[data-state=interrupted], #live[data-state=disconnected] { border-left-color: var(--series-6); }
#live[data-state=failed] { border-left-color: var(--series-4); }
`
