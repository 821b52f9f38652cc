import { defineConfig } from 'vitepress'
import { guides, optimizerPages, packagePages, reference } from './contents.ts'
import { gitHubSlug, linkPages } from './links.ts'

/** The path of the site on its server, for a site that is not at the root: `SITE_BASE=/diffgrad/`. */
const base = process.env.SITE_BASE ?? '/'

export default defineConfig({
  base,
  title: 'diffgrad',
  description:
    'Optimizers for typed arrays, TensorFlow.js and ONNX Runtime, in JavaScript and TypeScript',
  lang: 'en',
  cleanUrls: false,
  lastUpdated: false,
  // The API and the playground are built by programs of their own, beside these pages.
  ignoreDeadLinks: [/^\/api\//, /^\/playground\//],
  markdown: {
    config: linkPages,
    anchor: { slugify: gitHubSlug },
    theme: { light: 'github-light', dark: 'github-dark' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/guides/start' },
      { text: 'Optimizers', link: '/optimizers/' },
      { text: 'API', link: '/api/', target: '_self' },
      { text: 'Playground', link: '/playground/', target: '_self' },
    ],
    sidebar: [
      {
        text: 'Start',
        items: [{ text: 'In three minutes', link: '/guides/start' }, ...packagePages],
      },
      { text: 'Guides', items: [...guides] },
      { text: 'Optimizers', collapsed: true, items: [...optimizerPages] },
      { text: 'Reference', items: [...reference] },
    ],
  },
})
