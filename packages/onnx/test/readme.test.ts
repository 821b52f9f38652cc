import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the examples of the README run in order, and reduce the loss', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = [...readme.matchAll(/```(?:ts|js)\n(.*?)```/gs)].map(([, code]) => code).join('')
  const output = execFileSync(
    process.execPath,
    ['--import', 'tsx', '--conditions=@diffgrad/source', '--input-type=module', '-'],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', input: example },
  )
  const [first = 0, last = 1] = output.trim().split('\n').slice(-2).map(Number)
  expect(last).toBeLessThan(first / 5)
}, 30_000)
