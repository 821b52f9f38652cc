/** Markup that is safe as it is. */
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

const rendered = (content: Content): string => {
  if (content instanceof Html) return content.markup
  if (typeof content === 'object') return content.map(rendered).join('')
  return String(content).replace(/[&<>"']/g, (character) => entities[character])
}

/** A template of markup: everything put into it is escaped, unless it is markup itself. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Html =>
  new Html(parts.reduce((before, part, i) => before + rendered(contents[i - 1]) + part))
