import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseChoices } from '../src/config/options.ts'
import type { EpochRow } from '../src/run/history.ts'
import { halvingRungs, type RunProgress, standings } from '../src/sweep/halving.ts'
import { drawPoints, gridOf } from '../src/sweep/space.ts'
import { fileFolder, historyOf, run, signalBeforeWrite, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const [cache, data] = ['cache', 'data'].map((name) => join(folder, name))
const pathOf = (name: string): string => join(folder, name)
const textOf = (...path: readonly string[]): string => readFileSync(join(folder, ...path), 'utf8')
const settings = ['--data', data, ...tinyNetwork, '--epochs', '2']

async function succeeds(...args: Parameters<typeof run>): Promise<string> {
  const { code, output, errors } = await run(...args)
  expect(`${code} ${errors}`).toBe('0 ')
  return output
}

beforeAll(() => writePatterns(data, { train: 8, validation: 4 }))

test('rungs are those of Hyperband, table 1, its first bracket', () => {
  // Li et al., arXiv:1603.06560: R = 81, η = 3, s = 4.
  const table = { 81: 1, 27: 3, 9: 9, 3: 27, 1: 81 }
  const rungs = halvingRungs(81, 81, 3).map(({ candidates, epochs }) => [candidates, epochs])
  expect(Object.fromEntries(rungs)).toEqual(table)
  // Not as many candidates as epochs, and epochs that η does not divide.
  expect(halvingRungs(10, 20, 3).map(({ epochs }) => epochs)).toEqual([2, 7, 20])
  expect(halvingRungs(1000, 1000, 10)).toHaveLength(4)
  expect(() => halvingRungs(2, 8, 3)).toThrow(
    '--halve 3 needs 3 candidates and 3 epochs or more, but there are 2 and 8',
  )
})

test('a rung ends when all of its runs have, and the best means over seeds are promoted, whatever comes later', () => {
  const rungs = halvingRungs(4, 4, 2)
  const runOf = (...top1: readonly number[]): RunProgress => ({
    epochs: top1.map((share, i) => ({ epoch: i + 1, top1: share, validationLoss: 1 }) as EpochRow),
    isFinished: top1.length === 4,
    isFailed: false,
  })
  const rungOf = (candidates: readonly (readonly RunProgress[])[]) =>
    standings(rungs, candidates).map(({ rung, isFinal }) => `${rung}${isFinal ? ' final' : ''}`)
  const [better, worse, equal] = [
    [runOf(0.9), runOf(0.3)],
    [runOf(0.5), runOf(0.6)],
    [runOf(0.6), runOf(0.5)],
  ]
  expect(rungOf([worse, equal, better, [runOf(1), runOf()]])).toEqual(['0', '0', '0', '0'])
  const failed = [runOf(1), { ...runOf(), isFailed: true }]
  // Of equal ones the first.
  const first = ['1', '0 final', '1', '0 final']
  expect(rungOf([worse, equal, better, failed])).toEqual(first)
  // A run that diverges on a later rung was promoted nevertheless.
  const later = [runOf(0.9, 0.9), { ...runOf(0.3), isFailed: true }]
  const promoted = [runOf(0.5, 0.1), runOf(0.6, 0.1)]
  expect(rungOf([promoted, equal, later, failed])).toEqual([
    '2 final',
    '0 final',
    '1 final',
    '0 final',
  ])
})

test('values are lists or ranges; draws are equal by seed, different, and within their range', () => {
  expect(parseChoices('1e-5..1e-2:log', 'number')).toEqual({ from: 1e-5, to: 1e-2, isLog: true })
  expect(parseChoices('../a.mjs,adam', 'text')).toEqual(['../a.mjs', 'adam'])
  expect(() => parseChoices('2..1', 'number')).toThrow('The second end of a range must be above')
  expect(() => parseChoices('1,1.0', 'number')).toThrow('1 is listed twice.')
  const lists = { learningRate: [0.1, 0.2], selfAttention: [false, true] }
  expect(gridOf(lists)).toHaveLength(4)
  const all = drawPoints(lists, 4, 1)
  expect(new Set(all.map((point) => JSON.stringify(point))).size).toBe(4)
  expect(() => drawPoints(lists, 5, 1)).toThrow('--random must be at most 4,')

  const ranges = {
    learningRate: { from: 1e-5, to: 1e-1, isLog: true },
    width: { from: 8, to: 32, isLog: false },
    optimizer: ['adam', 'sgd'],
  }
  const points = drawPoints(ranges, 400, 7)
  expect(drawPoints(ranges, 400, 7)).toEqual(points)
  expect(drawPoints(ranges, 20, 7)).toEqual(points.slice(0, 20))
  expect(drawPoints(ranges, 400, 8)).not.toEqual(points)
  const rates = points.map(({ learningRate }) => Number(learningRate))
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-5)
  expect(Math.max(...rates)).toBeLessThanOrEqual(1e-1)
  // Half of them are below the geometric mean: of 400 draws within four standard deviations.
  expect(Math.abs(rates.filter((rate) => rate < 1e-3).length - 200)).toBeLessThan(40)
  // Widths are even.
  expect([...new Set(points.map(({ width }) => Number(width)))].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 13 }, (_, i) => 8 + 2 * i),
  )
  expect(() => drawPoints({ beta1: { from: 0.5, to: 1, isLog: false } }, 2, 1)).toThrow(
    '--beta1 0.5..1: an end must be in [0, 1), but is 1',
  )
})

test('a halved sweep whose trials are stopped, moved and killed equals one training, bit for bit', async () => {
  const out = pathOf('sweep')
  const search = ['--optimizer', 'adam,diffgrad', '--halve', '2']
  const planned = await succeeds(
    ['sweep', ...settings, ...search, '--plan-only', '--out', out],
    cache,
  )
  expect(planned).toContain('(0 to 1, in any order, on any machine)\nrounds     2: ')
  const plan = textOf('sweep', 'sweep.json')
  // One trial by itself, as a scheduler trains it, on moved data.
  cpSync(data, pathOf('moved'), { recursive: true })
  const moved = ['--data', pathOf('moved')]
  const one = ['resume', out, '--trial', '1', ...moved]
  await succeeds(one, cache)
  expect(await succeeds(one, cache)).toContain('waits after epoch 1 until the others')
  // The other one's first epoch, and then the second one of the better of both.
  const kill = signalBeforeWrite('SIGKILL', 'last.safetensors', 2)
  const killed = await run(['resume', out, ...moved], cache, kill)
  expect(killed.code).toBeNull()
  expect(killed.output).toContain('rung 2 of 2: 1 of 2 candidates, until epoch 2')
  const output = await succeeds(['resume', out, ...moved], cache)
  expect(textOf('sweep', 'sweep.json')).toBe(plan)
  const [header, first, second] = textOf('sweep', 'sweep.csv').split('\n')
  expect(header).toMatch(/^rank,trial,optimizer,seed,rung,epoch,/)
  const [, best, optimizer, ...others] = first.split(',')
  expect(others.slice(0, 3)).toEqual(['1', '2', '2'])
  expect(second).toMatch(/^2,[01],(?:adam|diffgrad),1,1,1,/)
  expect(textOf('sweep', 'report.html')).toContain('2 candidates on data')
  const loser = ['resume', out, '--trial', `${1 - Number(best)}`]
  expect(await succeeds(loser, cache)).toContain('has ended after epoch 1: others were better')

  // The winner is one training, with the schedule of all epochs.
  const winner = join('sweep', 'runs', `trial-${best}`)
  expect(existsSync(join(folder, winner, 'last.safetensors'))).toBe(false)
  expect(JSON.parse(textOf(winner, 'config.json')).data).toBe(data)
  expect(output).toContain(`--batch 8 --optimizer ${optimizer} --epochs 2\n`)
  const straight = ['train', ...settings, '--optimizer', optimizer, '--hold-out', '0.2']
  await succeeds([...straight, '--out', pathOf('straight')], cache)
  const { losses } = historyOf(pathOf('straight'))
  expect(historyOf(pathOf(winner)).losses).toEqual(losses)
  expect(losses).toHaveLength(4)

  // A run keeps its own threads, and records others.
  const config = JSON.parse(textOf('straight', 'config.json'))
  const more = ['resume', pathOf('straight'), '--epochs', '3', '--threads', '2']
  expect(await succeeds(more, cache)).toContain('threads: 1 → 2. From here on, results differ')
  expect(JSON.parse(textOf('straight', 'config.json'))).toEqual({ ...config, epochs: 3 })
  expect(historyOf(pathOf('straight'))).toMatchObject({
    threadsChanges: [{ step: losses.length, from: 1, to: 2 }],
  })
})

test('a grid of two by two makes four trials; random draws are recorded in the plan', async () => {
  const plan = async (name: string, ...search: readonly string[]) => {
    const command = ['sweep', ...settings, '--plan-only', '--out', pathOf(name)]
    await succeeds([...command, ...search], cache)
    return JSON.parse(textOf(name, 'sweep.json'))
  }
  const grid = await plan('grid', '--learning-rate', '0.001,0.01', '--flip', 'true,false')
  expect(grid.candidates.map(({ values }: { readonly values: object }) => values)).toEqual([
    { learningRate: 0.001, flip: true },
    { learningRate: 0.001, flip: false },
    { learningRate: 0.01, flip: true },
    { learningRate: 0.01, flip: false },
  ])
  // A fifth of the training images is held out.
  expect(grid.candidates[1].config).toMatchObject({ flip: false, holdOut: 0.2, threads: 1 })
  const draws = ['--learning-rate', '1e-4..1e-2:log', '--random', '3', '--random-seed', '5']
  const random = await plan('random', ...draws, '--no-hold-out')
  expect(random.search).toEqual({ kind: 'random', count: 3, seed: 5 })
  expect(random.space).toEqual({ learningRate: { from: 1e-4, to: 1e-2, isLog: true } })
  expect(random.candidates[0].config).not.toHaveProperty('holdOut')
  expect((await plan('again', ...draws)).candidates[2].values).toEqual(random.candidates[2].values)
})

test('wrong values are refused before anything is trained', async () => {
  const errorOf = async (...args: readonly string[]): Promise<string> =>
    (await run(['sweep', ...settings, ...args], cache)).errors
  expect(await errorOf('--learning-rate', '1e-4..1e-2')).toContain(
    '--learning-rate 0.0001..0.01: a range needs --random <count>',
  )
  expect(await errorOf('--size', '20,32')).toContain('--size must be the same for all runs')
  expect(await errorOf('--batch', '8,500')).toContain('--batch must be at most 17, the number')
})
