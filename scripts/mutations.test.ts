import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mutations } from './mutations/mutations.ts'

test.each(
  mutations.flatMap(({ name, edits }) => edits.map(({ file, from }) => [name, file, from])),
)('%s: the text to replace occurs once in %s', (_, file, from) => {
  const source = readFileSync(new URL(`../packages/core/src/${file}`, import.meta.url), 'utf8')
  expect(source.split(from)).toHaveLength(2)
})
