import { execFileSync } from 'node:child_process'
import { bundle } from '@diffgrad/testing/bundle'
import { expect, test } from 'vitest'
import type { ResidentMemory } from './fixtures/resident-memory.ts'

test('resident memory grows by less than 5 % in a thousand steps, and disposed trainers keep none', async () => {
  const program = await bundle(import.meta.url, 'resident-memory.ts')
  // V8's young generation would grow up to its limit, and glibc add arenas under contention.
  const flags = ['--expose-gc', '--max-semi-space-size=1']
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
  const report = execFileSync('node', [...flags, program], { encoding: 'utf8', env })
  const { early, late, disposed }: ResidentMemory = JSON.parse(report)
  // A leak raises the smallest measurement too. The largest may come from the moment of a measurement.
  expect(Math.min(...late)).toBeLessThan(1.05 * Math.max(...early))
  expect(Math.min(...disposed)).toBeLessThan(Math.max(...late) + 15e6)
})
