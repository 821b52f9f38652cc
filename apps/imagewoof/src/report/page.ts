import { interactionScript } from './interaction.ts'

/** The title of a report, and its sections. */
export interface PageContent {
  readonly title: string
  readonly content: readonly Html[]
}

/** A complete HTML page that loads nothing else. */
export const page = (title: string, content: readonly Html[]): string =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
${content}
<script>${new Html(interactionScript)}</script>
</html>
`.markup

/** A chart with its title and an optional caption. */
export const figure = (title: string, content: Html, caption: string | Html = ''): Html =>
  html`<figure><h3>${title}</h3>${content}${caption === '' ? '' : html`<figcaption>${caption}</figcaption>`}</figure>`

/** A key figure in large type. */
export const tile = (value: string, label: string): Html =>
  html`<div class="tile"><b>${value}</b><span>${label}</span></div>`

/** A table of names and values. */
export const valueTable = (entries: readonly (readonly [name: string, value: unknown])[]): Html =>
  html`<div class="scroll"><table>${entries.map(
    ([name, value]) => html`<tr><th>${name}</th><td class="code">${String(value)}</td></tr>`,
  )}</table></div>`

/** Markup that needs no escaping. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

type Content = Html | string | number | readonly Content[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const render = (content: Content): string => {
  if (content instanceof Html) return content.markup
  if (typeof content === 'object') return content.map(render).join('')
  return String(content).replace(/[&<>"']/g, (character) => entities[character])
}

/** A template tag for markup. Interpolated values are escaped, unless they are `Html`. */
export const html = (strings: TemplateStringsArray, ...contents: readonly Content[]): Html =>
  new Html(strings.reduce((before, text, i) => before + render(contents[i - 1]) + text))

/** The colours of reports and charts, light and dark. */
export const colorScheme = `
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --surface: #ffffff; --ink: #1d1d1b; --muted: #6b6b66; --line: #dfdfda;
  --series-0: #2468c9; --series-1: #d1641a; --series-2: #2c8a57; --series-3: #8350c4;
  --series-4: #b3324b; --series-5: #14818f; --series-6: #97700b; --series-7: #c2479b;
  --series-8: #70706b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161615; --surface: #20201f; --ink: #ecece8; --muted: #a0a09a; --line: #383836;
    --series-0: #6ea6f5; --series-1: #f09a5b; --series-2: #5fc28c; --series-3: #b693ee;
    --series-4: #ec7f92; --series-5: #55bfcc; --series-6: #d4ac45; --series-7: #e98cc8;
    --series-8: #a6a6a0;
  }
}
`

/** The style sheet of all reports: light and dark, wide and narrow. */
const style = `${colorScheme}* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem;
  background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0; overflow-wrap: anywhere; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.15rem; }
h3 { margin: 0 0 0.5rem; font-size: 0.95rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
.muted, figcaption { color: var(--muted); }
.tiles { display: grid; gap: 0.75rem; margin: 1.25rem 0;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.tile, figure, .card { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: 0.75rem 1rem; }
.tile b { display: block; white-space: nowrap; font-size: 1.35rem; font-weight: 600; line-height: 1.3; }
.tile span { color: var(--muted); font-size: 0.85rem; }
.grid { display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
@media (min-width: 48rem) { .at-narrow { display: none !important; } }
@media (max-width: 47.99rem) { .at-wide { display: none !important; } }
.wide { grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { margin: 0; padding: 1rem; min-width: 0; }
figure > svg { display: block; width: 100%; height: auto; max-width: 38rem; }
figure > svg.at-narrow, figure > svg:not([class]) { max-width: 30rem; }
:focus-visible { outline: 2px solid var(--series-0); outline-offset: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; font-size: 0.85rem; }
.legend span { display: inline-flex; align-items: center; gap: 0.4em; }
.sample { flex: none; vertical-align: middle; }
.cursor { pointer-events: none; }
.cursor .rule { stroke: var(--muted); stroke-dasharray: 2 2; }
.tip { position: absolute; z-index: 9; max-width: min(20rem, 90vw); padding: 0.35rem 0.6rem;
  border-radius: 6px; background: var(--ink); color: var(--page); font-size: 0.8rem;
  line-height: 1.4; pointer-events: none; }
.tip .keyed { border-left: 4px solid var(--key); padding-left: 0.4em; }
figcaption { margin-top: 0.5rem; font-size: 0.85rem; }
.card { padding: 1rem; }
.pairs { display: grid; gap: 0 1rem; align-content: start; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.pairs h3 { grid-column: 1 / -1; }
.wide > figure:only-child { max-width: 44rem; }
.wide > .pairs:nth-child(3) { grid-column: 1 / -1; }
.images { display: flex; gap: 0.5rem; flex-wrap: wrap; }
.images figure { padding: 0; border: 0; width: 76px; background: none; }
.images img { display: block; width: 76px; height: 76px; border-radius: 4px; }
.images figcaption { margin: 0.15rem 0 0; text-align: center; font-size: 0.78rem; }
.scroll { overflow: auto; }
.tall { max-height: 32rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--muted); font-weight: 500; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
td.name { min-width: 11rem; }
td.code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.82rem; overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 2px; margin-right: 0.45em; }
.key { display: inline-block; margin-right: 0.9em; white-space: nowrap; }
small { color: var(--muted); font-size: 0.75rem; white-space: nowrap; }
thead th { position: sticky; top: 0; background: var(--surface); vertical-align: bottom; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--series-0); }
th button::after { content: "\\00a0↕"; opacity: 0.5; }
[aria-sort=ascending] button::after { content: "\\00a0↑"; opacity: 1; }
[aria-sort=descending] button::after { content: "\\00a0↓"; opacity: 1; }
tr.best { font-weight: 600; }
.matrix { width: auto; border-collapse: separate; border-spacing: 1px; font-size: 0.75rem; line-height: 1.25; }
.matrix th, .matrix td { padding: 0.2rem 0.1rem; border: 0; text-align: center; vertical-align: middle; }
.matrix td { min-width: 2.2rem; height: 2rem; background: color-mix(in srgb, var(--series-0) var(--share), var(--page)); }
.matrix td.strong { color: var(--surface); }
.matrix td.at { outline: 2px solid var(--ink); }
.matrix td { white-space: nowrap; }
.matrix [scope=row] { text-align: right; padding-right: 0.4rem; min-width: 5rem; overflow-wrap: break-word; }
.matrix tbody th:not([scope]), .matrix thead th { color: var(--ink); font-weight: 600; }
.pan { overflow: auto; max-height: 70vh; }
.map { display: block; width: 100%; background: var(--page); }
.map path { fill: var(--series-0); }
.map .cursor rect { fill: none; stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
.zoom { display: flex; gap: 0.4rem; margin-bottom: 0.5rem; }
.zoom button { font: inherit; font-size: 0.8rem; padding: 0.1rem 0.6rem; border: 1px solid var(--line);
  border-radius: 6px; background: var(--page); color: var(--ink); cursor: pointer; }
.zoom [aria-pressed=true] { border-color: var(--ink); }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
details { margin-top: 0.75rem; }
summary { cursor: pointer; color: var(--muted); }
@media (max-width: 30rem) {
  body { padding: 1rem 0.75rem 3rem; }
  figure, .card { padding: 0.75rem; }
  th, td { padding: 0.3rem 0.25rem; }
  table { font-size: 0.8rem; }
  small { font-size: 0.7rem; }
  .scroll td:not([class]) { min-width: 5rem; max-width: 6.5rem; overflow-wrap: break-word; }
  .matrix { font-size: 0.7rem; }
  th:not([aria-sort]) button::after { display: none; }
  td small { display: block; }
  .scroll td.name { min-width: 6rem; overflow-wrap: break-word; }
  .scroll .matrix td, .scroll .matrix th { padding: 0.2rem 0; }
  .scroll .matrix td { min-width: 1.35rem; height: 1.7rem; }
  .scroll .matrix [scope=row] { padding-right: 0.3rem; min-width: 4.5rem; }
}
`
