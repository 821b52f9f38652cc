import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import xterm from '@xterm/headless'
import { beforeAll, describe, expect, test } from 'vitest'
import { Screen } from '../src/terminal/screen.ts'
import {
  fileFolder,
  fullDiskBeforeWrite,
  historyOf,
  run,
  signalBeforeWrite,
  start,
  tensorsOf,
  tinyNetwork,
} from './command.ts'
import { writePatterns } from './images.ts'
import { hasScript, startOnTerminal, terminalTitle } from './terminal.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'data')
const environment = { IMAGEWOOF_CACHE: cache }

/** A training whose end no test waits for, unless it has few epochs. */
const train = (out: string, epochs = 10_000): readonly string[] => [
  ...['train', '--data', data, '--out', out, ...tinyNetwork],
  ...['--epochs', `${epochs}`],
]

/** A run of three epochs. */
const finished = join(folder, 'finished')

beforeAll(async () => {
  await writePatterns(data, { train: 8, validation: 4 })
  expect((await run(train(finished, 3), cache)).code).toBe(0)
})

describe.skipIf(!hasScript)(terminalTitle, () => {
  test('the line to copy after Ctrl-C stands alone, whenever it is pressed', async () => {
    const interruptAfter = async (epoch: number): Promise<void> => {
      const out = join(folder, `interrupted-${epoch}`)
      const terminal = startOnTerminal(train(out), { environment, columns: 200 })
      await terminal.waitFor(`epoch ${epoch} of`)
      terminal.type('\x03')
      expect(await terminal.ended).toBe(130)
      const lines = terminal.text.split('\n')
      const first = lines.indexOf('Finishing the current step; press Ctrl-C again to quit at once.')
      expect(lines.slice(first + 1)).toEqual([
        '',
        `Interrupted after ${historyOf(out).losses.length} steps. A checkpoint was saved.`,
        `to resume  npm start -- resume ${out}`,
        `run        ${out}`,
        `report     ${join(out, 'report.html')}`,
      ])
      expect(terminal.isRestored).toBe(true)
    }
    await Promise.all([1, 2, 3].map(interruptAfter))
  })

  test('Ctrl-C twice quits in a step that never ends', async () => {
    const blocked = {
      NODE_OPTIONS: `--import=${new URL('fixtures/blocked-step.mjs', import.meta.url)}`,
      BLOCKED_RUN: '2',
    }
    const terminal = startOnTerminal(train(join(folder, 'blocked')), {
      environment: { ...environment, ...blocked },
    })
    await terminal.waitFor('a long step')
    terminal.type('\x03')
    await terminal.waitFor('press Ctrl-C again')
    terminal.type('\x03')
    expect(await terminal.ended).toBe(130)
    expect(terminal.isRestored).toBe(true)
    expect(terminal.text).not.toMatch(/[█░]\n/)
  })

  test('there is one bar, on one line, also while the window becomes narrower', async () => {
    const terminal = startOnTerminal(train(join(folder, 'narrow')), { environment, columns: 90 })
    const bars = (): readonly string[] => terminal.text.match(/^training [█░].*$/gm) ?? []
    await terminal.waitFor(/left · loss .* images\/s/)
    expect(bars()).toHaveLength(1)
    for (const columns of [70, 50, 40, 25]) {
      terminal.resize(columns)
      const epochs = terminal.text.match(/epoch \d+ of/g)?.length ?? 0
      await terminal.waitFor(`epoch ${epochs + 2} of`)
      await terminal.waitFor(/\ntraining [█░…]+[^\n]*$/)
      expect(bars()).toHaveLength(1)
      expect(bars()[0].length).toBeLessThan(columns)
    }
    terminal.type('\x03')
    expect(await terminal.ended).toBe(130)
    expect(terminal.text).not.toMatch(/[█░]/)
  })

  test('the cursor is shown and lines are wrapped after kill -9', async () => {
    const terminal = startOnTerminal(train(join(folder, 'killed')), {
      environment: { ...environment, ...signalBeforeWrite('SIGKILL', 'last.safetensors', 2) },
    })
    expect(await terminal.ended).toBe(128 + 9)
    expect(terminal.text).toContain('epoch 1 of')
    expect(terminal.isRestored).toBe(true)
  })

  test('a dumb terminal gets lines without a bar', async () => {
    const terminal = startOnTerminal(train(join(folder, 'dumb'), 1), {
      environment: { ...environment, TERM: 'dumb' },
    })
    expect(await terminal.ended).toBe(0)
    expect(terminal.text).toMatch(/^data: 24 training/m)
    expect(terminal.text).not.toMatch(/[█░]/)
  })
})

test('several bars stay below the lines, as many as the screen has room for', async () => {
  const [columns, rows] = [40, 4]
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows })
  const screen = new Screen(stream, {})
  const bars = (...tasks: readonly string[]) =>
    tasks.map((task, i) => ({ task, done: i, total: 4, details: [] }))
  screen.showAll(bars('all', 'one', 'two', 'three'))
  screen.write('first line')
  screen.write('second line')
  screen.showAll(bars('all', 'two'))
  screen.write('third line')
  await new Promise<void>((resolve) => terminal.write(stream.read(), resolve))
  screen.hide()
  const { active } = terminal.buffer
  const lines = Array.from({ length: active.length }, (_, i) =>
    active.getLine(i)?.translateToString(true),
  )
  expect(lines).toEqual([
    ...['first line', 'second line', 'third line'],
    'all ░░░░░░░░░░░░░░░░░░░░ 0 %',
    'two █████░░░░░░░░░░░░░░░ 25 %',
  ])
})

test('a training whose window is closed is saved', async () => {
  const out = join(folder, 'hung-up')
  const hangup = signalBeforeWrite('SIGHUP', 'last.safetensors')
  const { code, errors } = await run(train(out), cache, hangup)
  expect(errors).toBe('')
  expect(code).toBe(129)
  expect(historyOf(out).losses).toHaveLength(3)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
})

test('a training whose output is no longer read runs to its end', async () => {
  const out = join(folder, 'unread')
  const { child, ended } = start(train(out, 2), cache)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code, errors } = await ended
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(historyOf(out).epochs).toHaveLength(2)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
})

test('a full disk is named with the file, and the last checkpoint is whole', async () => {
  const out = join(folder, 'full-disk')
  const { code, errors } = await run(
    train(out, 3),
    cache,
    fullDiskBeforeWrite('last.safetensors', 2),
  )
  expect(code).toBe(1)
  expect(errors.trim().split('\n')).toEqual([
    `error: ${join(out, 'last.safetensors')}: cannot be written: no space left on device (ENOSPC)`,
    `The last checkpoint, after 3 steps, is whole: ${join(out, 'last.safetensors')}. Make space, and resume the run.`,
  ])
  expect((await run(['resume', out], cache)).code).toBe(0)
  expect(historyOf(out).epochs).toHaveLength(3)
  expect(tensorsOf(out) === tensorsOf(finished)).toBe(true)
})

test('a finished run is not resumed, and its data is not read', async () => {
  const before = tensorsOf(finished)
  const { code, output } = await run(['resume', finished], cache)
  expect(code).toBe(0)
  expect(output.split('\n')[0]).toBe(
    `${finished} is finished: all 3 epochs are complete. To train longer: resume with --epochs above 3.`,
  )
  expect(output).toContain(`report     ${join(finished, 'report.html')}`)
  expect(output).not.toContain('reading')
  expect(tensorsOf(finished) === before).toBe(true)
})

describe('npm start from another folder', () => {
  const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)))
  /** What npm sets for `npm --prefix <root> start`. */
  const fromFolder = {
    npm_lifecycle_event: 'start',
    npm_package_json: join(root, 'package.json'),
    INIT_CWD: folder,
  }

  test('takes and prints paths from where the user stands', async () => {
    const args = ['train', '--data', 'data', '--out', 'run here', ...tinyNetwork, '--epochs', '2']
    const { code, output, errors } = await run(args, cache, {
      ...fromFolder,
      ...signalBeforeWrite('SIGINT', 'last.safetensors'),
    })
    expect(errors).toBe('')
    expect(code).toBe(130)
    expect(output).toContain(`to resume  npm --prefix ${root} start -- resume 'run here'`)
    expect(output).toContain(`report     ${join('run here', 'report.html')}`)
    expect((await run(['resume', 'run here'], cache, fromFolder)).code).toBe(0)
    const image = join('data', 'val', 'rows', '0.jpeg')
    expect((await run(['predict', 'run here', image], cache, fromFolder)).code).toBe(0)
    expect((await run(['export', 'run here', '--out', 'dogs'], cache, fromFolder)).code).toBe(0)
    expect(existsSync(join(folder, 'dogs', 'config.json'))).toBe(true)
  })
})

test('--version names the versions of the packages and the engines', async () => {
  const { code, output } = await run(['--version'], cache)
  expect(code).toBe(0)
  expect(output).toMatch(
    /^@diffgrad\/core \d.*\nonnxruntime-node \d.*\n@tensorflow\/tfjs \d.*\nnode \d+\./,
  )
})
