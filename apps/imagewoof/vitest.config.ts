import { mergeConfig } from 'vitest/config'
import root from '../../vitest.config.ts'

// The longest suite: it runs last and alone, on both cores of a small machine. The files of a worker share
// its modules, and the process that runs their commands.
export default mergeConfig(root, {
  test: { globalSetup: ['test/setup.ts'], maxWorkers: 2, isolate: false },
})
