import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Queue } from 'bullmq'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Screen } from '../src/terminal/screen.ts'
import { trainByQueue } from '../src/trials/queue.ts'
import { parseRedisAddress, queueName } from '../src/trials/redis.ts'
import { fileFolder, historyOf, run, start, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'
import { hasRedis, line, startRedis } from './redis.ts'

const title = hasRedis ? 'a queue' : 'a queue: skipped, because redis-server is not installed'

const folder = fileFolder()
const [cache, data, out, alone] = ['cache', 'data', 'plan', 'alone'].map((name) =>
  join(folder, name),
)

test('addresses of Redis', () => {
  expect(parseRedisAddress('redis://localhost')).toEqual({
    name: 'redis://localhost:6379',
    options: { host: 'localhost', port: 6379, db: 0 },
  })
  expect(parseRedisAddress('rediss://me:a%40b@[::1]:7000/2')).toEqual({
    name: 'rediss://[::1]:7000/2',
    options: { host: '::1', port: 7000, db: 2, username: 'me', password: 'a@b', tls: {} },
  })
  for (const text of [
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://a/b',
    'redis://a:x',
  ])
    expect(parseRedisAddress(text)).toBeUndefined()
})

/** The results of all runs, without times. */
const resultsOf = (path: string) =>
  readdirSync(join(path, 'runs')).map((name) => {
    const { epochs, ...history } = historyOf(join(path, 'runs', name))
    return {
      name,
      ...history,
      epochs: epochs.map((row) => ({ ...row, seconds: 0, imagesPerSecond: 0 })),
    }
  })

describe.skipIf(!hasRedis)(title, () => {
  test('a run that is queued twice is trained once; one whose worker was killed, by another', async () => {
    await writePatterns(data, { train: 8, validation: 4 })
    const plan = ['compare', 'adam --learning-rate 0.002', '--runs', '1', '--plan-only']
    const options = ['--data', data, '--out', alone, ...tinyNetwork, '--epochs', '2']
    expect((await run([...plan, ...options], cache)).errors).toBe('')
    cpSync(alone, out, { recursive: true })
    expect((await run(['resume', alone], cache)).code).toBe(0)

    const { child: server, address: redis } = await startRedis()
    onTestFinished(() => void server.kill('SIGKILL'))
    const trial = { name: 'trial', number: 0, until: 2, owner: undefined }
    const queued = { path: out, runCount: 1, remainingRuns: async () => [trial] }
    const screen = new Screen(new PassThrough())
    await trainByQueue(queued, redis, { screen, signal: AbortSignal.abort() })
    const producer = run(['resume', out, '--queue', redis.name], cache)
    const startWorker = (): ReturnType<typeof start> => {
      const worker = start(['worker', redis.name, '--lease', '1'], cache)
      onTestFinished(() => void worker.child.kill('SIGKILL'))
      return worker
    }
    const killed = startWorker()
    await line(killed.child, /epoch 1 of 2/)
    killed.child.kill('SIGKILL')
    const other = startWorker()
    const { code, output, errors } = await producer
    expect(`${code} ${errors}`).toBe('0 ')
    expect(output).toContain(
      'adam --learning-rate 0.002 · seed 1: its worker is lost; queued again',
    )
    expect(resultsOf(out)).toEqual(resultsOf(alone))

    const queue = new Queue(queueName, { prefix: 'imagewoof', connection: redis.options })
    expect(await queue.getJobCountByTypes()).toBe(0)
    await queue.close()
    other.child.kill('SIGINT')
    expect((await other.ended).output.match(/trial 0 of/g)).toHaveLength(1)
  })
})
