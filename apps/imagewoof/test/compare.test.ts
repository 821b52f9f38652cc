import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { run, scratch, start, tiny } from './command.ts'
import { photographs } from './photographs.ts'
import { historyOf } from './weights.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const contenders = ['diffgrad', 'diffgrad --aliased']
/** Its second step has no finite loss. */
const wild = 'sgd --learning-rate 1e30'
const control = 'adam --learning-rate 0.002'

const data = photographs(join(folder, 'photographs'))

test('compare resumes with the runs that are done, and reports all of them and the control', async () => {
  const out = join(folder, 'compare')
  const common = ['--data', await data, '--out', out, ...tiny, '--epochs', '2', '--runs', '2']
  const { child, ended } = start(['compare', ...contenders, wild, ...common], cache)
  const runs = join(out, 'runs')
  const second = join(runs, 'diffgrad-aliased-seed-1', 'config.json')
  while (!existsSync(second) && child.exitCode === null) await setTimeout(5)
  child.kill('SIGINT')
  const interrupted = await ended
  expect(interrupted.code).toBe(130)
  expect(interrupted.output).toContain(`to go on  npm start -- resume ${out}`)
  const done = join(runs, 'diffgrad-seed-1', 'history.json')
  const before = statSync(done).mtimeMs
  const { code, output, errors } = await run(['resume', out], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(statSync(done).mtimeMs).toBe(before)
  expect(readdirSync(runs)).toHaveLength(8)
  for (const name of [...contenders, control]) expect(output).toContain(`${name}  `)
  expect(output).toContain(`${wild}, seed 1: step 2: the loss must be finite`)
  const rows = readFileSync(join(out, 'comparison.csv'), 'utf8').trim().split('\n')
  expect(rows).toHaveLength(1 + 6)
  const report = readFileSync(join(out, 'report.html'), 'utf8')
  for (const name of [...contenders, control]) expect(report).toContain(`${name}</td>`)
  expect(report.match(/<svg /g)).toHaveLength(4)

  // Before a step moves weights, all contenders of a seed have the same loss on the same batch.
  const first = (name: string): number => historyOf(join(runs, name)).losses[0]
  expect(first('diffgrad-aliased-seed-1')).toBe(first('diffgrad-seed-1'))
  expect(first('adam-learning-rate-0.002-seed-1')).toBe(first('diffgrad-seed-1'))
  expect(first('diffgrad-seed-2')).not.toBe(first('diffgrad-seed-1'))
  // Aliased, ξ is ½ from the second step on: not what it is otherwise.
  const last = (name: string): number | undefined => historyOf(join(runs, name)).losses.at(-1)
  expect(last('diffgrad-aliased-seed-1')).not.toBe(last('diffgrad-seed-1'))
  // Checkpoints of finished runs would fill the disk.
  expect(existsSync(join(runs, 'diffgrad-seed-1', 'last.safetensors'))).toBe(false)
})

test('a comparison does what a kill kept it from, on the same data wherever that is now', async () => {
  const out = join(folder, 'killed')
  const moving = await photographs(join(folder, 'moving'), { validation: 9 })
  const plain = ['--data', relative('.', moving), ...tiny, '--epochs', '1', '--runs', '1']
  await run(['compare', 'diffgrad', ...plain, '--out', out], cache)
  const plan = (): string => readFileSync(join(out, 'compare.json'), 'utf8')
  expect(plan()).toContain(`"${resolve(moving)}"`)
  const [first, second] = ['diffgrad-seed-1', 'adam-learning-rate-0.002-seed-1'].map((name) =>
    join(out, 'runs', name),
  )
  const losses = historyOf(second).losses
  // Killed after the last step of one run.
  rmSync(join(first, 'report.html'))
  writeFileSync(join(first, 'last.safetensors'), '')
  // Killed before the other had all that it begins with.
  rmSync(second, { recursive: true })
  mkdirSync(second)
  writeFileSync(join(second, 'environment.json'), '{}')
  renameSync(moving, `${moving}-on`)

  expect((await run(['resume', out], cache)).errors).toContain(`no folder or archive ${moving}`)
  const other = await run(['resume', out, '--data', await data], cache)
  expect(other.errors).toContain(`${out}: the data must be as it was, but its SHA-256 is`)
  expect((await run(['report', out], cache)).errors).toBe('')
  const { code, errors } = await run(['resume', out, '--data', `${moving}-on`], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(plan()).toContain(`"${moving}-on"`)
  expect(existsSync(join(first, 'report.html'))).toBe(true)
  expect(existsSync(join(first, 'last.safetensors'))).toBe(false)
  expect(historyOf(second).losses).toEqual(losses)
})

test('a run that diverges in the last step of an epoch has ended badly, and no other', async () => {
  const out = join(folder, 'diverged')
  const common = ['--data', await data, '--out', out, ...tiny, '--epochs', '2', '--runs', '1']
  // All 72 pictures are one batch.
  const { code, output, errors } = await run(['compare', wild, ...common, '--batch', '72'], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(output).toContain(`${wild}, seed 1: after epoch 1: the validation loss must be finite`)
  expect(output).toContain(`${control}  `)
  const diverged = join(out, 'runs', 'sgd-learning-rate-1e30-seed-1')
  expect(existsSync(join(diverged, 'failure.txt'))).toBe(true)
  expect(existsSync(join(diverged, 'judgement.json'))).toBe(false)
})

test('every rule, schedule and network trains', async () => {
  const out = join(folder, 'all')
  const all = [
    'sgd --nesterov --schedule plateau',
    'adamw --schedule one-cycle',
    'radam --schedule cosine --clip 1',
    'adamod --memory-length 10 --schedule constant',
    'ranger --architecture xresnet34 --activation mish',
    'diffrgrad --architecture xresnet50 --self-attention',
    'diffmod --decay l2 --no-flip --crop 1',
  ]
  const common = ['--data', await data, '--out', out, ...tiny, '--epochs', '1', '--runs', '1']
  const { code, output, errors } = await run(['compare', ...all, ...common], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(output).not.toContain('must be finite')
  expect(readFileSync(join(out, 'comparison.csv'), 'utf8').trim().split('\n')).toHaveLength(9)
})

test('lr-find suggests a learning rate within its range, and shows it', async () => {
  const out = join(folder, 'range')
  const range = ['--from', '1e-5', '--to', '0.1', '--steps', '24', '--out', out]
  const { code, output, errors } = await run(
    ['lr-find', '--data', await data, ...tiny, ...range],
    cache,
  )
  expect(`${code} ${errors}`).toBe('0 ')
  const suggested = Number(output.match(/suggested +--learning-rate (\S+)/)?.[1])
  expect(suggested).toBeGreaterThan(1e-5)
  expect(suggested).toBeLessThan(0.1)
  expect(output).toMatch(/to train .* --size 20 --width 8 --batch 8 --threads 1 --learning-rate /)
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('<svg ')
})
