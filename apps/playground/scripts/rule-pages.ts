import { marked } from 'marked'
import type { Plugin } from 'vite'
import { read } from '../../../docs/.vitepress/repository.ts'
import { paperOf, ruleComments } from '../../../docs/.vitepress/rule-comments.ts'

/** The module that maps the name of each rule, in lower case, to what its source says. */
const sourcesModule = 'virtual:rule-sources'

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/** @param root - the path from the page to the folder of the playground. */
const page = (title: string, root: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${root}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}document.css">
<title>${escaped(title)}</title>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`

/** docs/rule.md, whose paragraph about each rule has the name of the rule as its id. Links to other files are text. */
async function rulePage(rules: Iterable<string>): Promise<string> {
  let html = await marked.parse(read('docs/rule.md'))
  html = html
    .replace(/<a href="(?!https:|#)[^"]*">(.*?)<\/a>/g, '$1')
    .replace(/<h([2-6])>(.*?)<\/h\1>/g, (_, level: string, title: string) => {
      const id = title.toLowerCase().replace(/<[^>]*>|&[^;]*;|[^\p{L}\p{N} -]/gu, '')
      return `<h${level} id="${id.replaceAll(' ', '-')}">${title}</h${level}>`
    })
    .replaceAll('<pre>', '<pre tabindex="0">')
    .replaceAll('<th></th>', '<td></td>')
    .replaceAll('<table>', '<div class="scroller" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')
  for (const name of rules) {
    const strong = new RegExp(`<strong>(${name})</strong>`, 'i')
    html = html.replace(strong, `<strong id="${name}">$1</strong>`)
  }
  return page('The rules', './', html)
}

/** The pages by their paths: the rules, and the source file of each. */
async function pages(): Promise<ReadonlyMap<string, string>> {
  const comments = ruleComments()
  const files = new Set([...comments.values()].map(({ file }) => file))
  const code = [...files].map((file) => {
    const body = `<h1>${file}</h1>\n<pre tabindex="0"><code>${escaped(read(file))}</code></pre>`
    return [codePath(file), page(file, '../', body)] as const
  })
  return new Map([['rule.html', await rulePage(comments.keys())], ...code])
}

const codePath = (file: string): string => file.replace(/^.*\/(\w+)\.ts$/, 'code/$1.html')

const sources = (): Readonly<Record<string, { code: string; paper: string | undefined }>> =>
  Object.fromEntries(
    [...ruleComments()].map(([name, comment]) => [
      name,
      { code: codePath(comment.file), paper: paperOf(comment) },
    ]),
  )

/** Pages of docs/rule.md and of the source of each rule, to which the playground links wherever it is served. */
export const rulePages = (): Plugin => ({
  name: 'rule-pages',
  resolveId: (source) => (source === sourcesModule ? `\0${source}` : undefined),
  load: (id) =>
    id === `\0${sourcesModule}`
      ? `export const ruleSources = ${JSON.stringify(sources())}`
      : undefined,
  async generateBundle() {
    for (const [fileName, source] of await pages()) {
      this.emitFile({ type: 'asset', fileName, source })
    }
  },
  configureServer({ middlewares }) {
    middlewares.use(async (request, response, next) => {
      const { pathname } = new URL(request.url ?? '', 'http://localhost')
      const html = (await pages()).get(pathname.slice(1))
      if (html === undefined) return next()
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(html)
    })
  },
})
