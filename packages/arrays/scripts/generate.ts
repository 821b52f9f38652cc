import { writeFileSync } from 'node:fs'
import { generatedFiles } from './loops.ts'
import { workerModule } from './worker.ts'

// Writes the loops of the shipped rules, and the worker, anew: `pnpm --filter @diffgrad/arrays generate`.
for (const [path, source] of [...generatedFiles(), workerModule()]) {
  writeFileSync(new URL(`../src/generated/${path}`, import.meta.url), source)
}
