import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Animation } from '../src/ui/animation.ts'

/** Replaces animation frames, which Node.js does not have. They run when the test says so. */
function fakeFrames(): { run(milliseconds: number): void } {
  const requested = new Map<number, (now: number) => void>()
  let [now, requests] = [performance.now() + 1000, 0]
  vi.stubGlobal('requestAnimationFrame', (callback: (now: number) => void) => {
    requested.set(++requests, callback)
    return requests
  })
  vi.stubGlobal('cancelAnimationFrame', (request: number) => requested.delete(request))
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  return {
    run(milliseconds) {
      now += milliseconds
      const callbacks = [...requested.values()]
      requested.clear()
      for (const callback of callbacks) callback(now)
    },
  }
}

test('the frame function is called at every frame until it stops the animation', () => {
  const frames = fakeFrames()
  const animation = new Animation(() => {})
  let calls = 0
  animation.start(() => {
    if (++calls === 3) animation.stop()
  })
  expect([calls, animation.running]).toEqual([0, true])
  for (let frame = 0; frame < 5; frame++) frames.run(16)
  expect([calls, animation.running, animation.error]).toEqual([3, false, ''])
})

test('the frame function gets the seconds since its previous call, however long', () => {
  const frames = fakeFrames()
  const animation = new Animation(() => {})
  const seconds: number[] = []
  animation.start((elapsed) => seconds.push(elapsed))
  for (const milliseconds of [16, 16, 25_000, 0]) frames.run(milliseconds)
  expectClose(seconds.slice(1), [0.016, 25, 0], { relative: 1e-9 })
})

test('a frame function that throws is not called again, and its error is reported', () => {
  const frames = fakeFrames()
  const reported: string[] = []
  const animation: Animation = new Animation(() => reported.push(animation.error))
  let calls = 0
  animation.start(() => {
    calls++
    throw new RangeError('out of steps')
  })
  for (let frame = 0; frame < 3; frame++) frames.run(16)
  expect([calls, animation.running, reported]).toEqual([1, false, ['RangeError: out of steps']])
  animation.stop()
  expect(animation.error).toBe('')
})

test('a new start replaces the running frame function', () => {
  const frames = fakeFrames()
  const animation = new Animation(() => {})
  const calls: string[] = []
  animation.start(() => calls.push('first'))
  animation.start(() => calls.push('second'))
  frames.run(16)
  expect(calls).toEqual(['second'])
})
