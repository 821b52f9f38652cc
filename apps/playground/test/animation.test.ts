import { expect, onTestFinished, test, vi } from 'vitest'
import { Animation } from '../src/page/animation.ts'

/** Node has no frames; here one begins whenever nothing else is to be done. */
function giveFrames(): void {
  vi.stubGlobal('requestAnimationFrame', (frame: (now: number) => void) =>
    setTimeout(() => frame(performance.now())),
  )
  vi.stubGlobal('cancelAnimationFrame', clearTimeout)
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
}

const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

test('a task is called at every frame until it stops itself', async () => {
  giveFrames()
  const animation = new Animation(() => {})
  let calls = 0
  animation.start(() => {
    if (++calls === 3) animation.stop()
  })
  expect(animation.running).toBe(true)
  await aWhile()
  expect([calls, animation.running, animation.failure]).toEqual([3, false, ''])
})

test('a task that throws is not called again, and what it threw is told', async () => {
  giveFrames()
  const told: string[] = []
  const animation: Animation = new Animation(() => told.push(animation.failure))
  let calls = 0
  animation.start(() => {
    calls++
    throw new RangeError('no further')
  })
  await aWhile()
  expect([calls, animation.running, told]).toEqual([1, false, ['RangeError: no further']])
  animation.stop()
  expect(animation.failure).toBe('')
})
