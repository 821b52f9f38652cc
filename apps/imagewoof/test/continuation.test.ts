import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCheckpoint } from '@diffgrad/onnxruntime'
import { expectClose } from '@diffgrad/testing/tolerance'
import { beforeAll, expect, test } from 'vitest'
import {
  fileFolder,
  historyOf,
  narrowNetwork,
  run,
  signalBeforeWrite,
  tensorsOf,
  tinyNetwork,
} from './command.ts'
import { writePatterns } from './images.ts'

// `resume --epochs`, `train --from`, the stages of `--tune`, and early stopping.

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const stepsPerEpoch = 9
const pathOf = (name: string): string => join(folder, name)

const train = (out: string, network: readonly string[], ...options: readonly string[]) =>
  run(['train', '--data', data, '--out', pathOf(out), ...network, ...options], cache)

async function succeeds(result: ReturnType<typeof run>): Promise<string> {
  const { code, output, errors } = await result
  expect(errors).toBe('')
  expect(code).toBe(0)
  return output
}

const checkpointOf = (name: string, kind = 'last') =>
  readCheckpoint(readFileSync(join(pathOf(name), `${kind}.safetensors`)))

const ratesOf = (name: string): readonly number[] =>
  historyOf(pathOf(name)).epochs.map(({ learningRate }) => learningRate)

const configOf = (name: string) =>
  JSON.parse(readFileSync(join(pathOf(name), 'config.json'), 'utf8'))

const reportOf = (name: string): string => readFileSync(join(pathOf(name), 'report.html'), 'utf8')

/** Options with state or random numbers, for runs that must resume bit for bit. */
const everything = [
  ...['--mixup', '0.2', '--accumulate', '2', '--ema', '0.9', '--pad', '3', '--erase', '0.5'],
  ...['--class-weights', 'balanced', '--warmup', '0.5', '--save-every', '0'],
]

beforeAll(async () => {
  await writePatterns(data)
  await succeeds(train('two', tinyNetwork, '--epochs', '2', ...everything))
  cpSync(pathOf('two'), pathOf('longer'), { recursive: true })
  await succeeds(train('four', narrowNetwork, '--epochs', '4', ...everything))
})

test('a finished run trains longer, by the schedule of the longer training, from the next step on', async () => {
  const output = await succeeds(run(['resume', pathOf('longer'), '--epochs', '4'], cache))
  expect(output).toContain(
    'epochs: 2 → 4, after 2. From here on, the learning rate is that of flat-cosine over 4 epochs.',
  )
  expect(configOf('longer').epochs).toBe(4)
  const [two, longer, four] = ['two', 'longer', 'four'].map(ratesOf)
  expect(longer).toEqual([...two, ...four.slice(2)])
  expect(longer[2]).toBeGreaterThan(longer[1])
  expect(historyOf(pathOf('longer')).epochsChanges).toEqual([
    { epoch: 2, step: 2 * stepsPerEpoch, from: 2, to: 4 },
  ])
  expect(reportOf('longer')).toContain('The number of epochs was changed from 2 to 4 after epoch 2')
  // The optimizer's rate is that of the history.
  const [{ options }] = Object.values(checkpointOf('longer').optimizer.parameters)
  const [expected] = Object.values(checkpointOf('four').optimizer.parameters)
  expect(options.learningRate).toEqual(expected.options.learningRate)
})

test('a longer training that is killed, even between its checkpoint and config.json, resumes bit for bit', async () => {
  cpSync(pathOf('two'), pathOf('killed'), { recursive: true })
  const resume = ['resume', pathOf('killed'), '--epochs', '4']
  const first = await run(resume, cache, signalBeforeWrite('SIGKILL', 'config.json'))
  expect(first.code).toBeNull()
  expect(configOf('killed').epochs).toBe(2)
  const later = signalBeforeWrite('SIGKILL', 'last.safetensors', 5)
  const second = await run(resume.slice(0, 2), cache, later)
  expect(second.code).toBeNull()
  await succeeds(run(resume.slice(0, 2), cache))
  expect(tensorsOf(pathOf('killed')) === tensorsOf(pathOf('longer'))).toBe(true)
  expect(historyOf(pathOf('killed')).epochsChanges).toHaveLength(1)
})

test('with a constant rate, a longer training equals one that was planned so, bit for bit', async () => {
  const constant = ['--schedule', 'constant', '--save-every', '0']
  await succeeds(train('constant-two', tinyNetwork, '--epochs', '2', ...constant))
  await succeeds(train('constant-one', tinyNetwork, '--epochs', '1', ...constant))
  await succeeds(run(['resume', pathOf('constant-one'), '--epochs', '2'], cache))
  expect(tensorsOf(pathOf('constant-one')) === tensorsOf(pathOf('constant-two'))).toBe(true)
  const [one, two] = ['constant-one', 'constant-two'].map((name) => historyOf(pathOf(name)).losses)
  expect(one).toEqual(two)
})

test('an interrupted run is planned shorter, but not than what is complete or begun', async () => {
  const out = pathOf('shorter')
  const signal = signalBeforeWrite('SIGKILL', 'last.safetensors', stepsPerEpoch + 3)
  const args = ['train', '--data', data, '--out', out, ...tinyNetwork]
  await run([...args, '--epochs', '4', '--save-every', '0'], cache, signal)
  const refused = await run(['resume', out, '--epochs', '1'], cache)
  expect(refused.errors).toContain(
    '--epochs must be at least 2, the epochs that are complete or begun, but is 1',
  )
  await succeeds(run(['resume', out, '--epochs', '2'], cache))
  expect(historyOf(out).losses).toHaveLength(2 * stepsPerEpoch)
  expect(ratesOf('shorter')[1]).toBeLessThan(4e-3)
})

test('a run that is finished says so, and changes nothing', async () => {
  const before = tensorsOf(pathOf('two'))
  const output = await succeeds(run(['resume', pathOf('two')], cache))
  expect(output).toContain(
    'is finished: all 2 epochs are complete. To train longer: resume with --epochs above 2.',
  )
  expect(tensorsOf(pathOf('two'))).toBe(before)
})

test('--from starts from the averaged weights of a run, at another image size', async () => {
  // A rate of almost 0 leaves the weights as they are.
  const still = ['--epochs', '1', '--learning-rate', '1e-12', '--weight-decay', '0', '--batch', '8']
  const from = ['--from', pathOf('four'), '--threads', '1']
  const out = ['--out', pathOf('larger')]
  await succeeds(run(['train', ...from, ...still, '--size', '32', ...out], cache))
  expect(configOf('larger')).toMatchObject({ data, size: 32, width: 8, checkpoint: 'best' })
  expect(configOf('larger').from).toBe(pathOf('four'))
  const { optimizer } = checkpointOf('four', 'best')
  const { weights } = checkpointOf('larger')
  for (const [name, { state }] of Object.entries(optimizer.parameters))
    expectClose(weights[name].data, state.ema, { relative: 0, absolute: 1e-9 })
  // The optimizer starts anew.
  expect(checkpointOf('larger').optimizer.updates).toBe(stepsPerEpoch)
  await succeeds(run(['resume', pathOf('larger'), '--epochs', '2'], cache))
  await succeeds(run(['export', pathOf('larger')], cache))
})

test('--from keeps the network, and gives it a new head for other classes', async () => {
  const from = ['train', '--from', pathOf('four')]
  const refused = await run([...from, '--width', '16'], cache)
  expect(refused.errors).toContain(
    `--from excludes --width: the network is that of ${pathOf('four')}`,
  )
  const missing = await run(['train', '--from', pathOf('none')], cache)
  expect(missing.errors).toContain('is not a run folder; it has no config.json')
  const other = await writePatterns(pathOf('other'), { classes: ['columns', 'rows'], train: 12 })
  const options = ['--data', other, '--batch', '8', '--threads', '1', '--tune', 'head']
  const out = ['--out', pathOf('new-head'), '--epochs', '1', '--checkpoint', 'last']
  const output = await succeeds(run([...from, ...options, ...out], cache))
  expect(output).toContain(
    'gets a new head: the classes are columns, rows, not columns, noise, rows',
  )
  const { weights, optimizer } = checkpointOf('new-head')
  expect(Object.keys(optimizer.parameters)).toHaveLength(2)
  expect(Object.values(weights).map(({ shape }) => shape[0])).toEqual([2, 2])
})

test('head:1,all trains the head, then everything with the optimizer state of the head, bit for bit', async () => {
  const base = ['--from', pathOf('two'), '--data', data, '--batch', '8', '--threads', '1']
  const options = ['--accumulate', '2', '--ema', '0.9', '--epochs', '2', '--save-every', '0']
  const args = (tune: string, name: string) => [
    ...['train', ...base, ...options, '--tune', tune, '--out', pathOf(name)],
  ]
  await succeeds(run(args('head:1,all', 'staged'), cache))
  await succeeds(run(args('head', 'head'), cache))
  const [staged, head] = ['staged', 'head'].map((name) => historyOf(pathOf(name)))
  // The first stage is that of the head alone, with the schedule of the whole training.
  expect(staged.losses.slice(0, stepsPerEpoch)).toEqual(head.losses.slice(0, stepsPerEpoch))
  expect(staged.losses).not.toEqual(head.losses)
  const { parameters } = checkpointOf('staged').optimizer
  const headNames = Object.keys(checkpointOf('head').optimizer.parameters)
  expect(Object.keys(parameters).length).toBeGreaterThan(headNames.length)
  for (const [name, { step }] of Object.entries(parameters))
    expect(step).toBe(headNames.includes(name) ? 9 : 5)
  // Killed within the first stage, between the stages, and within the second.
  const killed = pathOf('staged-killed')
  const resume = ['resume', killed]
  for (const [command, writes] of [
    [args('head:1,all', 'staged-killed'), 4],
    [resume, stepsPerEpoch - 3 + 1 + 1],
    [resume, 5],
  ] as const) {
    const signal = signalBeforeWrite('SIGKILL', 'last.safetensors', writes)
    expect((await run(command, cache, signal)).code).toBeNull()
  }
  await succeeds(run(resume, cache))
  expect(tensorsOf(killed) === tensorsOf(pathOf('staged'))).toBe(true)
  expect(historyOf(killed).losses).toEqual(staged.losses)
  // A best checkpoint of the first stage can be evaluated and exported, too.
  cpSync(join(pathOf('head'), 'best.safetensors'), join(pathOf('staged'), 'best.safetensors'))
  expect((await run(['evaluate', pathOf('staged')], cache)).code).toBe(0)
})

test('training stops when the best top-1 is as old as the patience, and can be resumed', async () => {
  // A rate of almost 0 changes no prediction, so that the first epoch stays the best.
  const still = ['--learning-rate', '1e-12', '--schedule', 'constant', '--weight-decay', '0']
  const from = ['--from', pathOf('four'), '--batch', '8', '--threads', '1']
  const out = ['--out', pathOf('stopped'), '--epochs', '9', '--patience', '2', '--tune', 'head']
  const output = await succeeds(run(['train', ...from, ...still, ...out], cache))
  const reason =
    'Stopped after epoch 3 of 9: 2 epochs without a better top-1 accuracy on the validation images (--patience 2).'
  expect(output).toContain(reason)
  expect(output).toContain('top-1 accuracy')
  expect(reportOf('stopped')).toContain(reason)
  expect(historyOf(pathOf('stopped')).epochs).toHaveLength(3)
  expect(await succeeds(run(['resume', pathOf('stopped')], cache))).toContain(
    `${pathOf('stopped')} is finished. ${reason}`,
  )
  await succeeds(run(['resume', pathOf('stopped'), '--epochs', '10'], cache))
  expect(historyOf(pathOf('stopped')).epochs).toHaveLength(5)
})
