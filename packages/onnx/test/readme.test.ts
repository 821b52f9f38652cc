import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the first example of the README runs as it stands, and learns', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const said = execFileSync(
    process.execPath,
    ['--import', 'tsx', '--conditions=@diffgrad/source', '--input-type=module', '--eval', example],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' },
  )
  const [first = 0, last = 1] = said.trim().split('\n').map((line) => Number(line.split(' ')[1]))
  expect(last).toBeLessThan(first / 5)
}, 30_000)
