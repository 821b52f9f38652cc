import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  fileFolder,
  historyOf,
  narrowNetwork,
  run,
  signalBeforeWrite,
  tinyNetwork,
} from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const contenders = ['diffgrad', 'diffgrad --aliased']
/** Diverges in its second step. */
const diverging = 'sgd --learning-rate 1e30'
const control = 'adam --learning-rate 0.002'

const options = (
  out: string,
  epochs: number,
  runs: number,
  network = tinyNetwork,
): readonly string[] => [
  ...['--data', data, '--out', out, ...network],
  ...['--epochs', `${epochs}`, '--runs', `${runs}`],
]

beforeAll(() => writePatterns(data))

test('an interrupted comparison keeps its finished runs, and reports all runs and the control', async () => {
  const out = join(folder, 'interrupted')
  const runs = join(out, 'runs')
  const interrupted = await run(
    ['compare', ...contenders, diverging, ...options(out, 2, 2)],
    cache,
    signalBeforeWrite('SIGINT', 'diffgrad-aliased-seed-1'),
  )
  expect(interrupted.code).toBe(130)
  expect(interrupted.output).toContain(`to resume  npm start -- resume ${out}`)
  const finished = join(runs, 'diffgrad-seed-1', 'history.json')
  const before = statSync(finished).mtimeMs
  const { code, output, errors } = await run(['resume', out], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(statSync(finished).mtimeMs).toBe(before)
  expect(readdirSync(runs)).toHaveLength(8)
  for (const name of [...contenders, control]) expect(output).toContain(`${name}  `)
  expect(output).toContain(`${diverging}, seed 1: step 2: the loss must be finite`)
  const rows = readFileSync(join(out, 'comparison.csv'), 'utf8').trim().split('\n')
  expect(rows).toHaveLength(1 + 6)
  const report = readFileSync(join(out, 'report.html'), 'utf8')
  for (const name of [...contenders, control]) expect(report).toContain(`${name}</td>`)
  // Four charts, wide and narrow.
  expect(report.match(/role="img"/g)).toHaveLength(8)

  // Before the first update, all contenders of a seed have the same loss on the same batch.
  const first = (name: string): number => historyOf(join(runs, name)).losses[0]
  expect(first('diffgrad-aliased-seed-1')).toBe(first('diffgrad-seed-1'))
  expect(first('adam-learning-rate-0.002-seed-1')).toBe(first('diffgrad-seed-1'))
  expect(first('diffgrad-seed-2')).not.toBe(first('diffgrad-seed-1'))
  // With --aliased, ξ is ½ from the second step on, so the losses differ.
  const last = (name: string): number | undefined => historyOf(join(runs, name)).losses.at(-1)
  expect(last('diffgrad-aliased-seed-1')).not.toBe(last('diffgrad-seed-1'))
  expect(existsSync(join(runs, 'diffgrad-seed-1', 'last.safetensors'))).toBe(false)
})

test('a killed comparison completes its tuning and its runs on the same data, which may have been moved', async () => {
  const out = join(folder, 'killed')
  const original = await writePatterns(join(folder, 'original'), { validation: 9 })
  const moved = join(folder, 'moved')
  const killed = await run(
    [
      ...['compare', 'adam', '--tune-learning-rate', '0.01,1'],
      ...[...options(out, 1, 2), '--data', relative('.', original)],
    ],
    cache,
    signalBeforeWrite('SIGKILL', 'adam-learning-rate-0.004'),
  )
  expect(killed.code).toBeNull()
  const trials = [0.00004, 0.004].map((rate) => join(out, 'tuning', `adam-learning-rate-${rate}`))
  const trained = statSync(join(trials[0], 'history.json')).mtimeMs
  expect(readdirSync(join(out, 'runs'))).toEqual([])
  const resumed = await run(['resume', out], cache)
  expect(`${resumed.code} ${resumed.errors}`).toBe('0 ')
  expect(statSync(join(trials[0], 'history.json')).mtimeMs).toBe(trained)
  const [low, high] = trials.map((trial) => historyOf(trial).epochs[0].top1)
  expect(high).toBeGreaterThan(low)
  expect(resumed.output).toMatch(/adam +0.00004: [\d.]+ %, 0.004: [\d.]+ % +→ +0.004\n/)
  const [first, second] = ['adam-seed-1', 'adam-seed-2'].map((name) => join(out, 'runs', name))
  const settings = (path: string) => JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))
  expect(settings(trials[0])).toMatchObject({ learningRate: 0.00004, holdOut: 0.2, seed: 3 })
  expect(settings(second)).toMatchObject({ learningRate: 0.004, seed: 2 })
  expect(settings(second)).not.toHaveProperty('holdOut')

  const plan = (): string => readFileSync(join(out, 'compare.json'), 'utf8')
  expect(plan()).toContain(`"${resolve(original)}"`)
  const { losses } = historyOf(second)
  // As if killed after the last step of the first run,
  rmSync(join(first, 'report.html'))
  writeFileSync(join(first, 'last.safetensors'), '')
  // and before the folder of the second run was complete.
  rmSync(second, { recursive: true })
  renameSync(original, moved)

  expect((await run(['resume', out], cache)).errors).toContain(`no folder or archive ${original}`)
  const other = await run(['resume', out, '--data', data], cache)
  expect(other.errors).toContain(`${out}: the data must be unchanged, but its SHA-256 is`)
  expect((await run(['report', out], cache)).errors).toBe('')
  const { code, errors } = await run(['resume', out, '--data', moved], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  // The path belongs to this machine, and not to the plan.
  expect(plan()).toContain(`"${resolve(original)}"`)
  expect(plan()).not.toContain(`"${moved}"`)
  expect(existsSync(join(first, 'report.html'))).toBe(true)
  expect(existsSync(join(first, 'last.safetensors'))).toBe(false)
  expect(historyOf(second).losses).toEqual(losses)
})

test('a run that diverges in the last step of an epoch fails, and the others do not', async () => {
  const out = join(folder, 'diverged')
  // All 72 images are one batch.
  const { code, output, errors } = await run(
    ['compare', diverging, ...options(out, 2, 1), '--batch', '72'],
    cache,
  )
  expect(`${code} ${errors}`).toBe('0 ')
  expect(output).toContain(
    `${diverging}, seed 1: after epoch 1: the validation loss must be finite`,
  )
  expect(output).toContain(`${control}  `)
  const diverged = join(out, 'runs', 'sgd-learning-rate-1e30-seed-1')
  expect(existsSync(join(diverged, 'failure.txt'))).toBe(true)
  expect(existsSync(join(diverged, 'evaluation.json'))).toBe(false)
})

test('every rule, schedule and network trains, also a rule of a module, which must not change', async () => {
  const out = join(folder, 'all')
  const module = join(folder, 'scale-free.mjs')
  copyFileSync(new URL('../examples/scale-free.mjs', import.meta.url), module)
  const all = [
    'sgd --nesterov --schedule plateau',
    'adamw --schedule one-cycle',
    'radam --schedule cosine --clip 1',
    'adamod --memory-length 10 --schedule constant',
    'ranger --architecture xresnet34-deep --activation mish --pool max-blur',
    'diffrgrad --architecture xresnet50 --self-attention --spectral-norm --stem small',
    'diffmod --architecture seresnet18 --decay l2 --no-flip --pad 2 --pad-mode zeros',
    module,
  ]
  // Two batches of 24 of the small data set are enough.
  const small = await writePatterns(join(folder, 'small'), { train: 16, validation: 2 })
  const { code, output, errors } = await run(
    ['compare', ...all, ...options(out, 1, 1, narrowNetwork), '--data', small, '--batch', '24'],
    cache,
  )
  expect(`${code} ${errors}`).toBe('0 ')
  expect(output).not.toContain('must be finite')
  expect(readFileSync(join(out, 'comparison.csv'), 'utf8').trim().split('\n')).toHaveLength(10)

  const [name] = readdirSync(join(out, 'runs')).filter((run) => run.includes('scale-free.mjs'))
  const own = join(out, 'runs', name)
  const { optimizer, optimizerHash } = JSON.parse(readFileSync(join(own, 'config.json'), 'utf8'))
  const source = readFileSync(module, 'utf8')
  expect([optimizer, optimizerHash]).toEqual([
    module,
    createHash('sha256').update(source).digest('hex'),
  ])
  expect(historyOf(own).friction).not.toHaveLength(0)
  writeFileSync(module, source.replace('1e-12', '1e-11'))
  expect((await run(['resume', own], cache)).errors).toContain(
    `error: --optimizer ${module}: the module must be unchanged, but its SHA-256 is`,
  )
})

test('lr-find suggests a learning rate within its range, and plots the losses', async () => {
  const out = join(folder, 'range')
  const range = ['--from', '1e-5', '--to', '0.1', '--steps', '24', '--out', out]
  const { code, output, errors } = await run(
    ['lr-find', '--data', data, ...narrowNetwork, ...range],
    cache,
  )
  expect(`${code} ${errors}`).toBe('0 ')
  const suggested = Number(output.match(/suggested +--learning-rate (\S+)/)?.[1])
  expect(suggested).toBeGreaterThan(1e-5)
  expect(suggested).toBeLessThan(0.1)
  expect(output).toMatch(/to train .* --size 20 --width 8 --batch 8 --threads 1 --learning-rate /)
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('<svg ')
})
