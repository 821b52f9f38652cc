import type { MarkdownOptions } from 'vitepress'
import { siteLink } from './repository.ts'

type Markdown = Parameters<NonNullable<MarkdownOptions['config']>>[0]

/** A link to another page or file, rather than to another site or within the page. */
const isRelative = (href: string): boolean => !/^([a-z]+:|\/|#)/.test(href)

/**
 * Leads relative links between files of the repository to the pages that show them. The text of a link to a
 * file that no page shows becomes plain text.
 */
export function linkPages(markdown: Markdown): void {
  markdown.core.ruler.push('link-pages', ({ tokens, env }) => {
    for (const { children } of tokens) {
      if (!children) continue
      let unlinked = false
      for (const token of children) {
        const href = token.type === 'link_open' ? token.attrGet('href') : undefined
        if (href && isRelative(href)) {
          const link = siteLink(env.relativePath, href)
          if (link === undefined) {
            unlinked = true
            token.attrs = [['title', href]]
          } else token.attrSet('href', link)
        }
        if (!unlinked || !/^link_(open|close)$/.test(token.type)) continue
        if (token.type === 'link_close') unlinked = false
        token.type = token.type.replace('link', 'unlinked')
        token.tag = 'span'
      }
    }
  })
}

/** The fragment that GitHub gives a heading, so that links within the repository hold in both places. */
export const gitHubSlug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
