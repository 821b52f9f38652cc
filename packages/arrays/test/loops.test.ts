import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedFiles } from '../scripts/loops.ts'
import { adamLoops } from '../src/generated/adam.ts'
import { surroundingsLoops } from '../src/generated/surroundings.ts'
import { ArraysOptimizer, adam } from '../src/index.ts'
import type { Loop } from '../src/loop.ts'

/** Without the white space and punctuation that the formatter is free to choose. */
const essence = (source: string): string => source.replace(/[\s,;'()]/g, '')

test.each(generatedFiles())('%s holds the loops of the rules as they are', (path, source) => {
  const written = readFileSync(new URL(`../src/generated/${path}`, import.meta.url), 'utf8')
  expect(essence(written)).toBe(essence(source))
})

test('the loops of shipped rules are run, not interpreted', () => {
  const called: string[] = []
  const watched = Object.fromEntries(
    Object.entries({ ...surroundingsLoops, ...adamLoops }).map(([key, loop]): [string, Loop] => [
      key,
      (...given) => {
        called.push(key)
        loop(...given)
      },
    ]),
  )
  const x = Float32Array.of(1)
  const optimizer = new ArraysOptimizer(adam, { x }, { kernel: 'javascript' }, watched)
  optimizer.step({ x: Float32Array.of(1) })
  expect(called).toHaveLength(1)
})
