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
      const first = parts.filter(({ part }) => /^index\.html$|index-.*\.(js|css)$/.test(part))
      const sum = first.reduce((sum, part) => sum + part['gzip KB'], 0)
      console.log(`first load: ${sum.toFixed(1)} KB gzipped, and about 115 KB of fonts`)
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
