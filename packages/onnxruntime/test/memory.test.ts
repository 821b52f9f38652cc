import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bundle } from './bundle.ts'

interface Report {
  readonly early: number
  readonly late: number
  readonly disposed: number
}

test('a thousand steps leave resident memory where it was, within 5 %', async () => {
  const program = await bundle('thousand-steps.ts')
  // V8's nursery would grow with the flow of short-lived objects, up to its own limit: here it is small.
  const flags = ['--expose-gc', '--max-semi-space-size=1']
  const report = execFileSync('node', [...flags, program], { encoding: 'utf8' })
  const { early, late, disposed }: Report = JSON.parse(report)
  expect(Math.abs(late / early - 1)).toBeLessThan(0.05)
  // Twenty trainers came and went.
  expect(disposed - late).toBeLessThan(15e6)
})
