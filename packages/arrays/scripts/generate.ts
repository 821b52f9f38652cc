import { writeFileSync } from 'node:fs'
import { generatedFiles } from './loops.ts'

// Writes the loops of the shipped rules anew: `pnpm --filter @diffgrad/arrays generate`.
for (const [path, source] of generatedFiles()) {
  writeFileSync(new URL(`../src/generated/${path}`, import.meta.url), source)
}
