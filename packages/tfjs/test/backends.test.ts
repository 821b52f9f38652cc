import { afterAll, describe, expect, test } from 'vitest'
import { closeBrowser } from './targets/chromium.ts'
import { targets } from './targets/targets.ts'

afterAll(closeBrowser)

for (const { name, missing, run } of targets.filter(({ slow }) => !slow)) {
  describe.skipIf(missing)(missing ? `${name}: skipped, because ${missing}` : name, () => {
    test('every law and every check holds', { timeout: 300_000 }, async () => {
      const results = await run()
      expect(results.filter(({ error }) => error)).toEqual([])
      expect(results.length).toBeGreaterThan(27)
    })
  })
}
