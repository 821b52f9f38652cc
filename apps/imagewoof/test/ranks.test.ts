import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shareRanks, threadRank } from '@diffgrad/mpi'
import { expect, inject, test } from 'vitest'
import { RankGroup } from '../src/rank-group.ts'
import {
  fileFolder,
  historyOf,
  narrowNetwork,
  run,
  signalBeforeWrite,
  tensorsOf,
} from './command.ts'
import { writePatterns } from './images.ts'

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
  ...narrowNetwork,
  ...['--train-images', '96', '--validation-images', '42', '--epochs', '2'],
  ...['--accumulate', '2', '--ema', '0.9', '--mixup', '0.2', '--save-every', '0'],
]

/** The arguments of the command line on a rank. */
type RankArguments = readonly string[]

interface Ended {
  readonly code: number
  readonly output: string
  /** From the fault to the end of all processes. */
  readonly seconds: number
}

/** Runs a command line on some ranks, each with arguments of its own, to the end of all. */
async function runEach(
  ranks: readonly RankArguments[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const commands = ranks.map((args) => ['-np', '1', 'node', inject('main'), ...args])
  const separated = commands.flatMap((one, i) => (i === 0 ? one : [':', ...one]))
  const child = spawn('mpirun', ['--oversubscribe', '--bind-to', 'none', ...separated], {
    env: {
      ...process.env,
      ...{ IMAGEWOOF_CACHE: cache, OMPI_ALLOW_RUN_AS_ROOT: '1' },
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      ...environment,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const [code] = await once(child, 'close')
  const at = Number(output.match(/fault at (\d+)/)?.[1] ?? Number.NaN)
  return { code: code ?? -1, output, seconds: (Date.now() - at) / 1000 }
}

const runRanks = (
  size: number,
  args: RankArguments,
  environment?: Readonly<Record<string, string>>,
): Promise<Ended> => runEach(Array(size).fill(args), environment)

/** What does not depend on the time that a run took. */
function resultOf(name: string) {
  const { epochs, ...history } = historyOf(pathOf(name))
  const withoutTimes = epochs.map((row) => ({ ...row, seconds: 0, imagesPerSecond: 0 }))
  return { tensors: tensorsOf(pathOf(name)), epochs: withoutTimes, ...history }
}

/** Something that happens to a rank, and the messages that all processes together print. */
interface Fault {
  readonly fault: 'killed' | 'throws' | 'notFinite' | 'differs' | 'interrupted'
  readonly rank: number
  /** The step of the rank, from 1: an epoch has six. */
  readonly at: number
  readonly messages: readonly string[]
  /** How many processes resume. */
  readonly resumedBy: 1 | 2
}

const faults: readonly Fault[] = [
  {
    ...{ fault: 'killed', rank: 0, at: 8, resumedBy: 1 },
    messages: ['exited on signal 9', 'rank 1: told to end'],
  },
  {
    ...{ fault: 'killed', rank: 1, at: 8, resumedBy: 2 },
    messages: ['exited on signal 9', 'rank 0: told to end'],
  },
  {
    ...{ fault: 'throws', rank: 1, at: 8, resumedBy: 1 },
    messages: ['error: a corrupt picture', 'error: rank 1: a corrupt picture'],
  },
  {
    ...{ fault: 'notFinite', rank: 1, at: 8, resumedBy: 2 },
    messages: ['error: step 8: the loss of rank 1 must be finite, but is NaN'],
  },
  {
    ...{ fault: 'differs', rank: 1, at: 1, resumedBy: 1 },
    messages: ['error: rank 1: has ', 'elements of hash'],
  },
  {
    ...{ fault: 'interrupted', rank: 0, at: 8, resumedBy: 2 },
    messages: ['Interrupted after 16 steps. A checkpoint was saved.'],
  },
]

type Scenario = readonly [what: string, check: () => Promise<void>]

const scenarios: readonly Scenario[] = [
  [
    'two processes train as one does with accumulate 2, bit for bit',
    async () => {
      const { code } = await run(['train', '--out', pathOf('one'), ...network], cache)
      const two = await runRanks(2, ['train', '--out', pathOf('two'), ...network])
      expect([code, two.code, two.output.match(/top-1 accuracy/g)?.length]).toEqual([0, 0, 1])
      expect(resultOf('two')).toEqual(resultOf('one'))
    },
  ],
  ...faults.map(
    ({ fault, rank, at, messages, resumedBy }): Scenario => [
      `rank ${rank} ${fault}: all end, say why and how to resume; ${resumedBy} continue, bit for bit`,
      async () => {
        const name = `${fault}-${rank}`
        const environment = {
          NODE_OPTIONS: `--import=${new URL('fixtures/rank-fault.mjs', import.meta.url)}`,
          RANK_FAULT: JSON.stringify({ fault, rank, at }),
          // Seconds from SIGTERM to SIGKILL, to save in. mpirun waits for them twice.
          ...(fault === 'interrupted' && { OMPI_MCA_odls_base_sigkill_timeout: '4' }),
        }
        const train = ['train', '--out', pathOf(name), ...network]
        const { code, output, seconds } = await runRanks(2, train, environment)
        console.log(`rank ${rank} ${fault}: all have ended after ${seconds.toFixed(1)} s`)
        expect(code).not.toBe(0)
        for (const message of messages) expect(output).toContain(message)
        expect(output).toContain(`to resume  npm start -- resume ${pathOf(name)}`)
        expect(seconds).toBeLessThan(10)
        const resume = ['resume', pathOf(name)]
        const resumed = await (resumedBy === 1 ? run(resume, cache) : runRanks(2, resume))
        expect(resumed.code).toBe(0)
        expect(resultOf(name)).toEqual(resultOf('one'))
      },
    ],
  ),
  [
    'four processes equal one to rounding; two continue what a death has ended',
    async () => {
      const four = [...network, '--accumulate', '4']
      await run(['train', '--out', pathOf('one-4'), ...four], cache)
      const kill = signalBeforeWrite('SIGKILL', 'last.safetensors', 2)
      const killed = await runRanks(4, ['train', '--out', pathOf('four'), ...four], kill)
      expect(killed.output).toContain('exited on signal 9')
      expect((await runRanks(2, ['resume', pathOf('four')])).code).toBe(0)
      const [one, more] = [historyOf(pathOf('one-4')), historyOf(pathOf('four'))]
      for (const [i, loss] of one.losses.entries()) expect(more.losses[i]).toBeCloseTo(loss, 4)
    },
  ],
  [
    'processes with other settings or other data are refused before anything is written',
    async () => {
      const own = ['--batch', '4', '--accumulate', '2']
      const train = ['train', '--out', pathOf('differs'), ...narrowNetwork, ...own]
      const settings = await runEach([train, [...train, '--seed', '7']])
      expect(settings.output).toContain(
        'rank 1: has the setting seed 7 where rank 0 has the setting seed 1',
      )
      const data = ['whole', 'corrupt'].map((name) => pathOf(`${name}-pictures`))
      for (const path of data) await writePatterns(path, { train: 8, validation: 2 })
      writeFileSync(join(data[1], 'train', 'rows', '0.jpeg'), 'not a picture')
      const pictures = await runEach(data.map((path) => [...train, '--data', path]))
      expect(pictures.output).toMatch(/rank 1: has 23 training .* where rank 0 has 24 training/)
      expect([settings.code, pictures.code]).not.toContain(0)
      expect(existsSync(pathOf('differs'))).toBe(false)
    },
  ],
  [
    'processes that cannot share the batches of an update are refused',
    async () => {
      const refusal = async (...options: readonly string[]) =>
        (await runRanks(2, ['train', '--out', pathOf('refused'), ...network, ...options])).output
      expect(await refusal('--accumulate', '1')).toContain(
        '--accumulate must be a multiple of the 2 processes that share the batches of an update, but is 1',
      )
      expect(await refusal('--batch', '10', '--accumulate', '2')).toContain(
        'an epoch must be whole updates of 2 batches, but has 9 batches; --batch 9 makes 10',
      )
      expect(await refusal('--engine', 'tfjs')).toContain('--engine tfjs trains in one process')
    },
  ],
]

test.each(process.env.RANKS === 'all' ? scenarios : [])('%s', { timeout: 300_000 }, (_, check) =>
  check(),
)
