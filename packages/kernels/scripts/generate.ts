import { writeFileSync } from 'node:fs'
import { generatedModules } from './generated-modules.ts'

// Writes src/generated of kernels, arrays and tfjs anew: `pnpm generate`.
for (const [path, source] of generatedModules()) {
  writeFileSync(new URL(`../../${path}`, import.meta.url), source)
}
