import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // Any folder of any host will do.
  resolve: { conditions: ['@diffgrad/source', 'module', 'browser', 'development|production'] },
  build: { target: 'es2023', chunkSizeWarningLimit: 2000 },
})
