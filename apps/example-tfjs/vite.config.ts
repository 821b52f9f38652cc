import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // The page can be served from any folder.
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  build: { target: 'es2023', chunkSizeWarningLimit: 2000 },
})
