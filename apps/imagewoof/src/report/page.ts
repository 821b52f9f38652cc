import { Html, html } from './html.ts'
import { style } from './style.ts'

/** A page that needs nothing but itself. */
export const page = (title: string, content: readonly Html[]): string =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
${content}
</html>
`.markup

/** A figure with what it shows. */
export const figure = (title: string, drawing: Html, caption: string | Html = ''): Html =>
  html`<figure><h3>${title}</h3>${drawing}${caption === '' ? '' : html`<figcaption>${caption}</figcaption>`}</figure>`

/** A number worth a tile. */
export const tile = (value: string, what: string): Html =>
  html`<div class="tile"><b>${value}</b><span>${what}</span></div>`

/** Names and values. */
export const facts = (entries: readonly (readonly [name: string, value: unknown])[]): Html =>
  html`<div class="scroll"><table>${entries.map(
    ([name, value]) => html`<tr><th>${name}</th><td class="code">${String(value)}</td></tr>`,
  )}</table></div>`
