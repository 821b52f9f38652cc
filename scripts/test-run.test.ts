import { expect, test } from 'vitest'
import {
  chooseSeed,
  closingLine,
  failureLines,
  suiteResult,
  type TaskResult,
  totals,
} from './test-run.ts'

const suite = suiteResult(
  {
    startTime: 1000,
    numPassedTests: 5,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [
      {
        name: '/pkg/test/a.test.ts',
        status: 'failed',
        endTime: 3500,
        assertionResults: [
          { fullName: 'group holds', status: 'passed' },
          { fullName: 'group fails', status: 'failed' },
        ],
      },
      { name: '/pkg/test/broken.test.ts', status: 'failed', endTime: 2000, assertionResults: [] },
    ],
  },
  '/pkg',
)
const task = (id: string, rest: Partial<TaskResult>): TaskResult => ({
  id,
  directory: '',
  logFile: '',
  cached: false,
  succeeded: true,
  suite: undefined,
  ...rest,
})
const tasks = [
  task('core#test', { succeeded: false, suite }),
  task('core#build', {}),
  task('//#lint', { succeeded: false }),
]

test('failed tests, files that cannot be loaded and tasks that fail without a test are counted', () => {
  expect(suite).toMatchObject({ passed: 5, failed: 2, skipped: 3, seconds: 2.5 })
  expect(totals(tasks)).toEqual({ passed: 5, failed: 3, skipped: 3 })
  expect(failureLines(tasks)).toEqual([
    'FAILED core#test: test/a.test.ts > group fails',
    'FAILED core#test: test/broken.test.ts',
    'FAILED task //#lint',
  ])
})

test('a test task that ends without a report counts as one failure', () => {
  expect(totals([task('core#test', { succeeded: false })]).failed).toBe(1)
})

test('the closing line names skipped tests only if there are any', () => {
  expect(closingLine({ passed: 5, failed: 0, skipped: 0 })).toBe('5 passed, 0 failed')
  expect(closingLine({ passed: 5, failed: 1, skipped: 2 })).toBe('5 passed, 1 failed, 2 skipped')
})

test('RANDOM draws a seed that SEED accepts, and SEED repeats it', () => {
  expect(chooseSeed({})).toBeUndefined()
  expect(chooseSeed({ SEED: '7', RANDOM: '1' })).toBe(7)
  expect(() => chooseSeed({ SEED: 'x' })).toThrow('SEED must be a whole number')
  const seed = chooseSeed({ RANDOM: '1' })
  expect(seed).toBeGreaterThan(0)
  expect(seed).toBeLessThanOrEqual(0x7fffffff)
})
