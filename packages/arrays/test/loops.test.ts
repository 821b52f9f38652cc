import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedFiles } from '../scripts/loops.ts'

/** Without the white space and punctuation that the formatter is free to choose. */
const essence = (source: string): string => source.replace(/[\s,;'()]/g, '')

test.each(generatedFiles())('%s holds the loops of the rules as they are', (path, source) => {
  const written = readFileSync(new URL(`../src/generated/${path}`, import.meta.url), 'utf8')
  expect(essence(written)).toBe(essence(source))
})
