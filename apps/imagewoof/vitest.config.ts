import { mergeConfig } from 'vitest/config'
import root from '../../vitest.config.ts'

// The longest suite: it runs last and alone, on both cores of a small machine.
export default mergeConfig(root, { test: { globalSetup: ['test/bundle.ts'], maxWorkers: 2 } })
