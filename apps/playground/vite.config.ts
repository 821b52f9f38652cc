import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Prints what each part of the page weighs, and what is fetched at first but for the fonts. */
function weigh(): Plugin {
  let quiet = false
  return {
    name: 'weigh',
    apply: 'build',
    configResolved({ logLevel }) {
      quiet = logLevel === 'error'
    },
    writeBundle(_, bundle) {
      if (quiet) return
      const parts = Object.values(bundle).map((part) => {
        const content = part.type === 'chunk' ? part.code : part.source
        return { part: part.fileName, 'gzip KB': gzipSync(content).length / 1000 }
      })
      console.table(
        parts
          .sort((a, b) => b['gzip KB'] - a['gzip KB'])
          .map(({ part, 'gzip KB': weight }) => ({ part, 'gzip KB': Number(weight.toFixed(1)) })),
      )
      const weightOf = (pattern: RegExp): string =>
        parts
          .filter(({ part }) => pattern.test(part))
          .reduce((sum, part) => sum + part['gzip KB'], 0)
          .toFixed(1)
      const code = weightOf(/^index\.html$|index-.*\.(js|css)$/)
      const fonts = weightOf(/-(latin|greek)-wght/)
      console.log(`first load, gzipped: ${code} KB, and ${fonts} KB of fonts`)
    },
  }
}

export default defineConfig({
  base: './', // Any folder of any host will do.
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] }, // It looks for its files beside itself.
  build: { target: 'es2023', assetsInlineLimit: 0, reportCompressedSize: false },
  plugins: [weigh()],
})
