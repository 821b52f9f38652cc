import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCheckpoint, writeCheckpoint } from '@diffgrad/onnxruntime'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, historyOf, run, tensorsOf, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const [whole, resumed] = ['whole', 'resumed'].map((name) => join(folder, name))

const train = (out: string, epochs: number): readonly string[] => [
  ...['train', '--data', data, '--out', out, ...tinyNetwork],
  ...['--optimizer', 'schedulefreeadamw', '--schedule', 'constant', '--warmup', '0.5'],
  ...['--epochs', `${epochs}`],
]

beforeAll(async () => {
  await writePatterns(data)
  const { code, errors } = await run(train(whole, 2), cache)
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

test('a Schedule-Free run that was resumed after an epoch equals a whole one, bit for bit', async () => {
  const { code } = await run(train(resumed, 1), cache)
  expect(code).toBe(0)
  expect(await run(['resume', resumed, '--epochs', '2'], cache)).toMatchObject({ code: 0 })
  expect(tensorsOf(resumed) === tensorsOf(whole)).toBe(true)
  expect(historyOf(resumed).losses).toEqual(historyOf(whole).losses)
})

test('a checkpoint within an epoch of a Schedule-Free run is not evaluated', async () => {
  const last = join(resumed, 'last.safetensors')
  const { averageStatistics: _, ...checkpoint } = readCheckpoint(readFileSync(last))
  const notes = { ...(checkpoint.notes as object), position: { epoch: 1, batch: 3 } }
  writeFileSync(last, writeCheckpoint({ ...checkpoint, notes }))
  const { code, errors } = await run(['evaluate', resumed, '--checkpoint', 'last'], cache)
  expect(code).toBe(1)
  expect(errors).toContain('the last checkpoint is within an epoch')
})
