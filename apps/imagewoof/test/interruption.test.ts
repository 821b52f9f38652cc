import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { run, scratch, start, tiny } from './command.ts'
import { photographs } from './photographs.ts'
import { historyOf, tensorsOf } from './weights.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const uninterrupted = join(folder, 'uninterrupted')
const steps = 4 * 9
/** Everything that is drawn or remembered is in it. */
const recipe = [
  '--epochs',
  '4',
  '--mixup',
  '0.2',
  '--accumulate',
  '2',
  '--ema',
  '0.9',
  '--save-every',
  '0.05',
]

const train = (out: string): readonly string[] => [
  'train',
  ...['--data', join(folder, 'photographs'), '--out', out],
  ...tiny,
  ...recipe,
]

beforeAll(async () => {
  await photographs(join(folder, 'photographs'))
  const { code, errors } = await run(train(uninterrupted), cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
}, 120_000)

/** Starts a training, and sends a signal after its first checkpoint, which is within an epoch. */
async function interrupted(out: string, signal: 'SIGINT' | 'SIGKILL') {
  const { child, ended } = start(train(out), cache)
  while (!existsSync(join(out, 'history.json')) && child.exitCode === null) await setTimeout(5)
  child.kill(signal)
  const { code, output } = await ended
  expect(historyOf(out).losses.length).toBeLessThan(steps)
  return { code, output }
}

async function resumesExactly(out: string) {
  const { code, output, errors } = await run(['resume', out], cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(output).toContain('validation pictures right')
  expect(tensorsOf(out) === tensorsOf(uninterrupted)).toBe(true)
  const { losses, friction, epochs } = historyOf(out)
  const whole = historyOf(uninterrupted)
  expect(losses).toEqual(whole.losses)
  expect(losses).toHaveLength(steps)
  expect(friction).toEqual(whole.friction)
  expect(epochs.map(({ validationLoss }) => validationLoss)).toEqual(
    whole.epochs.map(({ validationLoss }) => validationLoss),
  )
}

test('the same command with the same seed gives the same losses and weights twice', async () => {
  const again = join(folder, 'again')
  expect((await run(train(again), cache)).code).toBe(0)
  expect(historyOf(again).losses).toEqual(historyOf(uninterrupted).losses)
  expect(tensorsOf(again) === tensorsOf(uninterrupted)).toBe(true)
})

test('after Ctrl-C a training says how to go on, and goes on bit for bit', async () => {
  const out = join(folder, 'interrupted')
  const { code, output } = await interrupted(out, 'SIGINT')
  expect(code).toBe(130)
  expect(output).toContain(`to go on  npm start -- resume ${out}`)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
  await resumesExactly(out)
})

test('after kill -9 a training goes on from its last checkpoint, to the same weights', async () => {
  const out = join(folder, 'killed')
  const { code } = await interrupted(out, 'SIGKILL')
  expect(code).toBeNull()
  await resumesExactly(out)
})

test('a finished run has nothing to resume, and has all that it had, even if killed before its history', async () => {
  const [tensors, history] = [tensorsOf(uninterrupted), historyOf(uninterrupted)]
  const { losses, epochs } = history
  const earlier = { ...history, losses: losses.slice(0, 27), epochs: epochs.slice(0, 3) }
  writeFileSync(join(uninterrupted, 'history.json'), JSON.stringify(earlier))
  expect((await run(['resume', uninterrupted], cache)).code).toBe(0)
  expect(tensorsOf(uninterrupted) === tensors).toBe(true)
  expect(historyOf(uninterrupted)).toEqual(history)
})

test('a run is not resumed on other data than it began with', async () => {
  const pictures = join(folder, 'photographs', 'train')
  copyFileSync(join(pictures, 'rows', '1.jpeg'), join(pictures, 'columns', '1.jpeg'))
  const { code, errors } = await run(['resume', uninterrupted], cache)
  expect(code).toBe(1)
  expect(errors).toContain('the data must be as it was, but its SHA-256 is')
})
