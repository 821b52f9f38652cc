import { writeFileSync } from 'node:fs'
import { generatedModules } from './generated-kernels.ts'
import { workerModule } from './worker.ts'

// Writes src/generated anew: `pnpm --filter @diffgrad/kernels generate`.
for (const [path, source] of [...generatedModules(), workerModule()]) {
  writeFileSync(new URL(`../src/generated/${path}`, import.meta.url), source)
}
