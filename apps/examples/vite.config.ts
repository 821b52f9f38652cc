import { defineConfig, type Plugin } from 'vite'

/**
 * Keeps the source text of the threaded wasm backend. TensorFlow.js starts workers from the text of a
 * function; minified, it refers to names that workers do not have, and the page waits for ever
 * (tensorflow/tfjs#4253). A string is not minified.
 */
const tfjsWorkers: Plugin = {
  name: 'tfjs-workers',
  transform(code, id) {
    if (!id.includes('tfjs-backend-wasm-threaded-simd.js')) return undefined
    const name = 'WasmBackendModuleThreadedSimd'
    const source = code.match(/\breturn \(\s*(function.*?\n\})\n\);\n\}\)\(\);/s)?.[1]
    if (!source) throw new Error(`${id} has changed: find the function ${name} in it`)
    const [before, after] = code.split(/(?<=\n\}\)\(\);\n)/)
    return `${before}${name}.toString = () => ${JSON.stringify(source)};\n${after}`
  },
}

// Pages on an isolated host, with these headers, have shared memory: the wasm backend uses threads.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  base: './', // The page can be served from any folder.
  plugins: [tfjsWorkers],
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  build: {
    target: 'es2023',
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: 'pages/tfjs.html' }, // The other pages need no build.
  },
  server: { headers },
  preview: { headers },
})
