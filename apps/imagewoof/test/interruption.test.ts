import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, historyOf, run, signalBeforeWrite, tensorsOf, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const uninterrupted = join(folder, 'uninterrupted')
const [epochs, stepsPerEpoch] = [3, 9]

/** Uses everything that is random or has state. A checkpoint is written after every step. */
const recipe = [
  ...['--epochs', `${epochs}`, '--save-every', '0'],
  ...['--mixup', '0.2', '--accumulate', '2', '--ema', '0.9'],
]

const train = (out: string): readonly string[] => [
  ...['train', '--data', data, '--out', out],
  ...tinyNetwork,
  ...recipe,
]

/**
 * A training that gets a signal while it writes the checkpoint of step 12: the third of the second epoch,
 * as the first epoch writes one more at its end. The last complete checkpoint has a half-filled gradient
 * accumulator.
 */
const interrupt = (out: string, signal: 'SIGINT' | 'SIGKILL') =>
  run(train(out), cache, signalBeforeWrite(signal, 'last.safetensors', stepsPerEpoch + 1 + 3))

async function expectExactResume(out: string): Promise<void> {
  const { code, output, errors } = await run(['resume', out], cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(output).toContain('on 30 validation images')
  expect(tensorsOf(out) === tensorsOf(uninterrupted)).toBe(true)
  const [resumed, whole] = [historyOf(out), historyOf(uninterrupted)]
  expect(resumed.losses).toEqual(whole.losses)
  expect(resumed.losses).toHaveLength(epochs * stepsPerEpoch)
  expect(resumed.friction).toEqual(whole.friction)
  expect(resumed.epochs.map(({ validationLoss }) => validationLoss)).toEqual(
    whole.epochs.map(({ validationLoss }) => validationLoss),
  )
}

beforeAll(async () => {
  await writePatterns(data)
  const { code, errors } = await run(train(uninterrupted), cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
})

test('the same command with the same seed gives the same losses and weights', async () => {
  const again = join(folder, 'again')
  expect((await run(train(again), cache)).code).toBe(0)
  expect(historyOf(again).losses).toEqual(historyOf(uninterrupted).losses)
  expect(tensorsOf(again) === tensorsOf(uninterrupted)).toBe(true)
})

test('after Ctrl-C a training prints how to resume, and resumes bit for bit', async () => {
  const out = join(folder, 'interrupted')
  const { code, output } = await interrupt(out, 'SIGINT')
  expect(code).toBe(130)
  expect(historyOf(out).losses.length).toBeLessThan(epochs * stepsPerEpoch)
  expect(output).toContain(`to resume  npm start -- resume ${out}`)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
  await expectExactResume(out)
})

test('after kill -9 a training resumes from its last checkpoint, to the same weights', async () => {
  const out = join(folder, 'killed')
  const { code } = await interrupt(out, 'SIGKILL')
  expect(code).toBeNull()
  expect(historyOf(out).losses).toHaveLength(11)
  await expectExactResume(out)
})

test('a kill between the last checkpoint and its history loses nothing', async () => {
  const out = join(folder, 'killed-at-the-end')
  const writes = epochs * (stepsPerEpoch + 1)
  const { code } = await run(
    train(out),
    cache,
    signalBeforeWrite('SIGKILL', 'history.json', writes),
  )
  expect(code).toBeNull()
  expect(historyOf(out).epochs).toHaveLength(epochs - 1)
  await expectExactResume(out)
})

test('a run is not resumed on other data', async () => {
  const out = join(folder, 'other-data')
  const own = await writePatterns(join(folder, 'own'))
  const { code: trained } = await run(
    ['train', '--data', own, '--out', out, ...tinyNetwork, '--epochs', '1'],
    cache,
  )
  expect(trained).toBe(0)
  copyFileSync(join(own, 'train', 'rows', '1.jpeg'), join(own, 'train', 'columns', '1.jpeg'))
  const { code, errors } = await run(['resume', out, '--epochs', '2'], cache)
  expect(code).toBe(1)
  expect(errors).toContain('the data must be unchanged, but its SHA-256 is')
})
