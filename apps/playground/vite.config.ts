import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Prints what the first load weighs, and each part that is fetched later. */
function weigh(): Plugin {
  return {
    name: 'weigh',
    apply: 'build',
    generateBundle(_, bundle) {
      const weights = Object.values(bundle).map((part) => ({
        part: part.fileName,
        'gzip KB': Number(
          (gzipSync('code' in part ? part.code : part.source).length / 1000).toFixed(1),
        ),
      }))
      console.table(weights.sort((a, b) => b['gzip KB'] - a['gzip KB']))
    },
  }
}

export default defineConfig({
  base: './', // Any folder of any host will do.
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  build: { target: 'es2023', assetsInlineLimit: 0, reportCompressedSize: false },
  plugins: [weigh()],
})
