import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Tests run the TypeScript sources of the workspace, so they need no build.
export default defineConfig({
  ssr: { resolve: { conditions: ['@diffgrad/source'] } },
  resolve: { conditions: ['@diffgrad/source'] },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: [fileURLToPath(new URL('./packages/testing/src/setup.ts', import.meta.url))],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    silent: 'passed-only',
    // `npm test` counts the tests in the JSON reports, which turbo caches with the results.
    reporters: process.env.TURBO_HASH
      ? ['default', ['json', { outputFile: 'test-report.json' }]]
      : ['default'],
  },
})
