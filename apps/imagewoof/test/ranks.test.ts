import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { shareRanks, threadRank } from '@diffgrad/mpi'
import { expect, inject, test } from 'vitest'
import { RankGroup } from '../src/rank-group.ts'
import { fileFolder, historyOf, run, signalBeforeWrite, tensorsOf, tinyNetwork } from './command.ts'

// Several processes that train one run. `pnpm --filter imagewoof ranks` runs trainings by mpirun, too.

const folder = fileFolder()
const pathOf = (name: string): string => join(folder, name)
const cache = pathOf('cache')

/** Runs a function as each of two ranks, with the controller of its signal. */
function onRanks<R>(
  work: (ranks: RankGroup, controller: AbortController) => Promise<R>,
): Promise<readonly R[]> {
  const shared = shareRanks(2)
  const all = [0, 1].map((rank) => {
    const controller = new AbortController()
    return work(new RankGroup(controller.signal, threadRank(shared, rank)), controller)
  })
  return Promise.all(all)
}

test('an error on one rank is one on all', async () => {
  const errors = await onRanks((ranks) =>
    ranks
      .inTurn(async () => {
        if (!ranks.isFirst) throw new Error('a corrupt picture')
        return 'data'
      })
      .catch(String),
  )
  expect(errors).toEqual(['RankError: rank 1: a corrupt picture', 'Error: a corrupt picture'])
})

test('an interruption of one rank stops all at the same step, where they may stop', async () => {
  const steps = await onRanks(async (ranks, controller) => {
    let step = 0
    for (; !ranks.signal.aborted; step++) {
      if (step === 3 && ranks.rank === 1) controller.abort()
      await ranks.together(async () => undefined, step % 4 === 0)
    }
    return step
  })
  expect(steps).toEqual([5, 5])
})

const network = [
  ...tinyNetwork,
  ...['--train-images', '96', '--validation-images', '42', '--epochs', '2'],
  ...['--accumulate', '2', '--ema', '0.9', '--mixup', '0.2', '--save-every', '0'],
]

/** Starts the command line on some ranks. */
function startRanks(
  size: number,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<{ code: number; output: string }> } {
  const launcher = ['--oversubscribe', '--bind-to', 'none', '-np', `${size}`]
  // Seconds from SIGTERM to SIGKILL, to save in.
  const patience = ['--mca', 'odls_base_sigkill_timeout', '4']
  const child = spawn('mpirun', [...launcher, ...patience, 'node', inject('main'), ...args], {
    env: {
      ...process.env,
      ...environment,
      ...{ IMAGEWOOF_CACHE: cache, OMPI_ALLOW_RUN_AS_ROOT: '1' },
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const ended = new Promise<{ code: number; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code: code ?? -1, output })),
  )
  return { child, ended }
}

/** What does not depend on the time that a run took. */
function resultOf(name: string) {
  const { epochs, ...history } = historyOf(pathOf(name))
  const withoutTimes = epochs.map((row) => ({ ...row, seconds: 0, imagesPerSecond: 0 }))
  return { tensors: tensorsOf(pathOf(name)), epochs: withoutTimes, ...history }
}

type Scenario = readonly [what: string, check: () => Promise<void>]

const scenarios: readonly Scenario[] = [
  [
    'two processes train as one does with accumulate 2, bit for bit',
    async () => {
      const { code } = await run(['train', '--out', pathOf('one'), ...network], cache)
      const two = await startRanks(2, ['train', '--out', pathOf('two'), ...network]).ended
      expect([code, two.code, two.output.match(/top-1 accuracy/g)?.length]).toEqual([0, 0, 1])
      expect(resultOf('two')).toEqual(resultOf('one'))
    },
  ],
  [
    'a killed process ends all, and the run continues in one process, bit for bit',
    async () => {
      const kill = signalBeforeWrite('SIGKILL', 'last.safetensors', 4)
      const train = ['train', '--out', pathOf('killed'), ...network]
      const { code, output } = await startRanks(2, train, kill).ended
      expect(code).not.toBe(0)
      expect(output).toContain('exited on signal 9')
      cpSync(pathOf('killed'), pathOf('killed-two'), { recursive: true })
      expect((await run(['resume', pathOf('killed')], cache)).code).toBe(0)
      expect(resultOf('killed')).toEqual(resultOf('one'))
      expect((await startRanks(2, ['resume', pathOf('killed-two')]).ended).code).toBe(0)
      expect(resultOf('killed-two')).toEqual(resultOf('one'))
    },
  ],
  [
    'Ctrl-C of mpirun saves a checkpoint, and says how to resume',
    async () => {
      const { child, ended } = startRanks(2, ['train', '--out', pathOf('stopped'), ...network])
      child.stdout?.on('data', (text) => {
        if (String(text).includes('epoch 1 of 2')) child.kill('SIGINT')
      })
      const { output } = await ended
      expect(output).toContain('A checkpoint was saved.')
      expect(output).toContain('to resume')
      expect((await startRanks(2, ['resume', pathOf('stopped')]).ended).code).toBe(0)
      expect(resultOf('stopped')).toEqual(resultOf('one'))
    },
  ],
  [
    'a loss that is not finite ends all',
    async () => {
      const rate = ['--optimizer', 'sgd', '--learning-rate', '1e30', '--ema', '0']
      const train = ['train', '--out', pathOf('diverged'), ...network, ...rate]
      const { code, output } = await startRanks(2, train).ended
      expect(code).not.toBe(0)
      expect(output).toMatch(/the (validation )?loss must be finite, but is/)
    },
  ],
  [
    'processes that cannot share the batches of an update are refused',
    async () => {
      const refusal = async (size: number, ...options: readonly string[]) =>
        (
          await startRanks(size, ['train', '--out', pathOf('refused'), ...network, ...options])
            .ended
        ).output
      expect(await refusal(2, '--accumulate', '1')).toContain(
        '--accumulate must be a multiple of the 2 processes that share the batches of an update, but is 1',
      )
      expect(await refusal(2, '--batch', '10', '--accumulate', '2')).toContain(
        'an epoch must be whole updates of 2 batches, but has 9 batches; --batch 9 makes 10',
      )
      expect(await refusal(2, '--engine', 'tfjs')).toContain('--engine tfjs trains in one process')
    },
  ],
]

test.each(process.env.RANKS === 'all' ? scenarios : [])('%s', (_, check) => check())
