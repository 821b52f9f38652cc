import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

// Checks every link, image, script and frame of the built site, the API reference included: what it names must be
// a file of the site, and its fragment an element of that page. Links to other sites are not followed.

const site = fileURLToPath(new URL('../.vitepress/dist', import.meta.url))
const base = process.env.SITE_BASE ?? '/'

const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.html'))

/** The values of `id` in each page, by its path. */
const fragments = new Map<string, ReadonlySet<string>>()
function fragmentsOf(page: string): ReadonlySet<string> {
  const known = fragments.get(page)
  if (known) return known
  const html = readFileSync(join(site, page), 'utf8')
  const found = new Set(
    [...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id = '']) => decodeEntities(id)),
  )
  fragments.set(page, found)
  return found
}

/** Text of an attribute, without the entities that occur in URLs. */
const decodeEntities = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')

/** The path of a file of the site that a URL names, or undefined if there is no such file. */
function fileOf(page: string, path: string): string | undefined {
  if (path === '') return page
  if (path.startsWith('/') && !path.startsWith(base)) return undefined
  const target = path.startsWith('/')
    ? path.slice(base.length)
    : posix.join(posix.dirname(page), path)
  const named = join(site, target)
  if (!existsSync(named)) return undefined
  if (!statSync(named).isDirectory()) return target
  const index = posix.join(target, 'index.html')
  return existsSync(join(site, index)) ? index : undefined
}

/** Why a link of a page is dead, or undefined if it is not. */
function fault(page: string, link: string): string | undefined {
  const [path = '', fragment = ''] = link.split('#')
  const file = fileOf(page, decodeURI(path.split('?')[0] ?? ''))
  if (file === undefined) return 'no such file'
  // The playground reads its fragment as a state.
  if (fragment === '' || !file.endsWith('.html') || file.startsWith('playground/')) return undefined
  return fragmentsOf(file).has(decodeURIComponent(fragment)) ? undefined : 'no such element'
}

let count = 0
const dead: string[] = []
for (const page of pages) {
  const html = readFileSync(join(site, page), 'utf8')
  for (const [, attribute = ''] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
    const link = decodeEntities(attribute)
    if (/^([a-z]+:|\/\/)/.test(link)) continue
    count++
    const why = fault(page, link)
    if (why !== undefined) dead.push(`${page}: ${link}: ${why}`)
  }
}
for (const line of new Set(dead)) console.error(line)
console.log(`${pages.length} pages, ${count} links, ${dead.length} of them dead`)
process.exitCode = dead.length > 0 ? 1 : 0
