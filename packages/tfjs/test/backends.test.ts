import { describe, expect, test } from 'vitest'
import { hosts } from './hosts/index.ts'

for (const { name, missing, slow, judge } of hosts) {
  if (slow) continue
  describe.skipIf(missing)(missing ? `${name}: skipped, because ${missing}` : name, () => {
    test('every law and every fact holds', { timeout: 300_000 }, async () => {
      const verdicts = await judge()
      expect(verdicts.filter(({ error }) => error)).toEqual([])
      expect(verdicts.length).toBeGreaterThan(27)
    })
  })
}
