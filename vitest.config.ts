import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Tests run the TypeScript sources of the workspace, so they need no build.
export default defineConfig({
  ssr: { resolve: { conditions: ['@diffgrad/source'] } },
  resolve: { conditions: ['@diffgrad/source'] },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: [fileURLToPath(import.meta.resolve('./packages/testing/src/setup.ts'))],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    silent: 'passed-only',
    // The JSON report is what `npm test` counts, from turbo's cache too.
    reporters: ['default', ['json', { outputFile: 'test-report.json' }]],
  },
})
