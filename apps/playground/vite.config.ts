import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'
import { rulePages } from './scripts/rule-pages.ts'

/** Prints the gzipped size of each output file, and of what the first load needs. */
function reportSizes(): Plugin {
  let quiet = false
  return {
    name: 'report-sizes',
    apply: 'build',
    configResolved({ logLevel }) {
      quiet = logLevel === 'error'
    },
    writeBundle(_, bundle) {
      if (quiet) return
      const files = Object.values(bundle)
        .map((output) => ({
          name: output.fileName,
          kilobytes: gzipSync(output.type === 'chunk' ? output.code : output.source).length / 1000,
        }))
        .sort((a, b) => b.kilobytes - a.kilobytes)
      console.table(
        files.map(({ name, kilobytes }) => ({ name, 'gzip KB': Number(kilobytes.toFixed(1)) })),
      )
      const sum = (pattern: RegExp): string =>
        files
          .filter(({ name }) => pattern.test(name))
          .reduce((sum, { kilobytes }) => sum + kilobytes, 0)
          .toFixed(1)
      const code = sum(/^index\.html$|index-.*\.(js|css)$/)
      const fonts = sum(/-(latin|greek)-wght/)
      console.log(`first load, gzipped: ${code} KB, and ${fonts} KB of fonts`)
    },
  }
}

/** transformers.js computes on the page's ONNX Runtime, instead of on a second one of its own. */
function oneRuntime(): Plugin {
  return {
    name: 'one-runtime',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source !== 'onnxruntime-web/webgpu' || !importer?.includes('@huggingface/transformers'))
        return undefined
      return this.resolve('onnxruntime-web/wasm', fileURLToPath(import.meta.url))
    },
  }
}

export default defineConfig({
  base: './', // Works below any path.
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es', plugins: () => [oneRuntime()] },
  // ONNX Runtime loads its .wasm files relative to its own module.
  optimizeDeps: { exclude: ['onnxruntime-web', '@xenova/transformers'] },
  build: { target: 'es2023', assetsInlineLimit: 0, reportCompressedSize: false },
  plugins: [oneRuntime(), rulePages(), reportSizes()],
})
