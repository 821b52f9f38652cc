import { mergeConfig } from 'vitest/config'
import root from '../../vitest.config.ts'

// All files share the modules, whose import takes longer than the tests of most files.
export default mergeConfig(root, { test: { isolate: false } })
