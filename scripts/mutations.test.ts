import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mutations } from './mutations/mutations.ts'

test.each(
  mutations.flatMap(({ name, edits }) =>
    edits.map(({ package: folder = 'core', file, from }) => [name, `${folder}/src/${file}`, from]),
  ),
)('%s: the text to replace occurs once in %s', (_, path, from) => {
  const source = readFileSync(new URL(`../packages/${path}`, import.meta.url), 'utf8')
  expect(source.split(from)).toHaveLength(2)
})
