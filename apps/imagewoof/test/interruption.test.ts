import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  fileFolder,
  historyOf,
  narrowNetwork,
  run,
  signalBeforeWrite,
  tensorsOf,
} from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const uninterrupted = join(folder, 'uninterrupted')
const [epochs, stepsPerEpoch] = [3, 9]

/** Uses everything that is random or has state. A checkpoint is written after every step. */
const recipe = [
  ...['--epochs', `${epochs}`, '--save-every', '0', '--warmup', '0.5'],
  ...['--mixup', '0.2', '--pad', '3', '--erase', '0.5', '--class-weights', 'balanced'],
  ...['--accumulate', '2', '--ema', '0.9'],
]

const train = (out: string): readonly string[] => [
  ...['train', '--data', data, '--out', out],
  ...narrowNetwork,
  ...recipe,
]

/**
 * A training that gets a signal while it writes the checkpoint of step 12: the third of the second epoch,
 * as the first epoch writes one more at its end. The last complete checkpoint has a half-filled gradient
 * accumulator.
 */
const interrupt = (out: string, signal: 'SIGINT' | 'SIGKILL') =>
  run(train(out), cache, signalBeforeWrite(signal, 'last.safetensors', stepsPerEpoch + 1 + 3))

/** @returns what `resume` prints. */
async function expectExactResume(out: string): Promise<string> {
  const { code, output, errors } = await run(['resume', out], cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(output).toContain('on 30 validation images')
  expect(tensorsOf(out) === tensorsOf(uninterrupted)).toBe(true)
  const [resumed, whole] = [historyOf(out), historyOf(uninterrupted)]
  expect(resumed.losses).toEqual(whole.losses)
  expect(resumed.losses).toHaveLength(epochs * stepsPerEpoch)
  expect(resumed.friction).toEqual(whole.friction)
  const figures = ({ epochs }: typeof whole) =>
    epochs.map(({ validationLoss, learningRate }) => [validationLoss, learningRate])
  expect(figures(resumed)).toEqual(figures(whole))
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('columns 1, noise 1, rows 1')
  return output
}

beforeAll(async () => {
  await writePatterns(data)
  const { code, errors } = await run(train(uninterrupted), cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
})

test('the same command gives the same losses; after Ctrl-C it prints how to resume, bit for bit', async () => {
  const out = join(folder, 'interrupted')
  const { code, output } = await interrupt(out, 'SIGINT')
  expect(code).toBe(130)
  const { losses } = historyOf(out)
  expect(losses.length).toBeGreaterThan(stepsPerEpoch)
  expect(losses).toEqual(historyOf(uninterrupted).losses.slice(0, losses.length))
  expect(output).toContain(`to resume  npm start -- resume ${out}`)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
  await expectExactResume(out)
})

test('after kill -9 a training resumes from its last checkpoint, to the same weights', async () => {
  const out = join(folder, 'killed')
  const { code } = await interrupt(out, 'SIGKILL')
  expect(code).toBeNull()
  expect(historyOf(out).losses).toHaveLength(11)
  const output = await expectExactResume(out)
  expect(output).toContain('class weights: columns 1.00, noise 1.00, rows 1.00')
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
  const [out, other] = ['other-run', 'other-data'].map((name) => join(folder, name))
  cpSync(uninterrupted, out, { recursive: true })
  cpSync(data, other, { recursive: true })
  copyFileSync(join(data, 'train', 'rows', '1.jpeg'), join(other, 'train', 'columns', '1.jpeg'))
  const { code, errors } = await run(['resume', out, '--data', other, '--epochs', '4'], cache)
  expect(code).toBe(1)
  expect(errors).toContain('the data must be unchanged, but its SHA-256 is')
})
