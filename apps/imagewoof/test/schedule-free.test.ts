import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCheckpoint } from '@diffgrad/onnxruntime'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, historyOf, run, signalBeforeWrite, tensorsOf, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const [whole, interrupted] = ['whole', 'interrupted'].map((name) => join(folder, name))
const stepsPerEpoch = 9

const train = (out: string): readonly string[] => [
  ...['train', '--data', data, '--out', out, ...tinyNetwork],
  ...['--optimizer', 'schedulefreeadamw', '--schedule', 'constant', '--warmup', '0.5'],
  ...['--epochs', '2', '--save-every', '0'],
]

beforeAll(async () => {
  await writePatterns(data)
  const { code, errors } = await run(train(whole), cache)
  expect([code, errors]).toEqual([0, ''])
})

test('evaluate gives the last row of a Schedule-Free run, whose checkpoint has other statistics to train on', async () => {
  const { output } = await run(['evaluate', whole, '--checkpoint', 'last', '--json'], cache)
  const { loss, top1 } = JSON.parse(output)
  const row = historyOf(whole).epochs.at(-1)
  expect([loss, top1]).toEqual([row?.validationLoss, row?.top1])
  const { weights, averageStatistics = {} } = readCheckpoint(
    readFileSync(join(whole, 'last.safetensors')),
  )
  const names = Object.keys(weights).filter((name) => name.includes('running_'))
  expect(Object.keys(averageStatistics).toSorted()).toEqual(names.toSorted())
  for (const name of names) expect(averageStatistics[name].data).not.toEqual(weights[name].data)
})

test('a Schedule-Free run that is killed within an epoch resumes bit for bit, and is not evaluated before', async () => {
  const signal = signalBeforeWrite('SIGKILL', 'last.safetensors', stepsPerEpoch + 1 + 3)
  await run(train(interrupted), cache, signal)
  const refused = await run(['evaluate', interrupted, '--checkpoint', 'last'], cache)
  expect(refused.errors).toContain('the last checkpoint is within an epoch')
  const { code } = await run(['resume', interrupted], cache)
  expect(code).toBe(0)
  expect(tensorsOf(interrupted) === tensorsOf(whole)).toBe(true)
  expect(historyOf(interrupted).losses).toEqual(historyOf(whole).losses)
})
