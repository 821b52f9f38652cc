import { writeFileSync } from 'node:fs'
import { generatedModules } from './generated-modules.ts'

// Writes src/generated anew: `pnpm --filter @diffgrad/kernels generate`.
for (const [path, source] of generatedModules()) {
  writeFileSync(new URL(`../src/generated/${path}`, import.meta.url), source)
}
