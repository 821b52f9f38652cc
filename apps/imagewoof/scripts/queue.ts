/**
 * What a queue costs: `pnpm --filter imagewoof queue [trials] [jobs]` trains stubs of 50 ms by a producer and a
 * worker, on a Redis that it starts, and prints their throughput, and the memory of both and of Redis while it
 * lasts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Screen } from '../src/terminal/screen.ts'
import { trainByQueue } from '../src/trials/queue.ts'
import { parseRedisAddress, type RedisAddress } from '../src/trials/redis.ts'
import { runWorker } from '../src/trials/worker.ts'
import { startRedis } from '../test/redis.ts'

const [trials = '1000', jobs = '4', role, url = ''] = process.argv.slice(2)
const stubMilliseconds = 50
const context = {
  screen: new Screen(new PassThrough().resume()),
  signal: new AbortController().signal,
}

const produce = (address: RedisAddress): Promise<void> => {
  const all = Array.from({ length: Number(trials) }, (_, number) => ({
    ...{ number, name: `trial ${number}`, until: 1, owner: undefined },
  }))
  return trainByQueue(
    { path: '/stub', runCount: all.length, remainingRuns: async () => all },
    address,
    context,
  )
}

const work = (address: RedisAddress): Promise<void> => {
  const train = async (): Promise<void> => void (await setTimeout(stubMilliseconds))
  return runWorker(address, { jobs: Number(jobs), leaseSeconds: 30, train }, context)
}

/** Starts this script in another role, which sends its resident memory, in bytes, four times a second. */
function startRole(name: string, address: RedisAddress) {
  const args = [...process.execArgv, process.argv[1], trials, jobs, name, address.name]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const memory: number[] = []
  child.on('message', (bytes) => memory.push(Number(bytes)))
  return { child, memory }
}

/** Memory at the start, after each quarter, and at the end, in MB. */
const quarters = (memory: readonly number[]): string =>
  [0, 0.25, 0.5, 0.75, 1]
    .map((share) => memory[Math.floor(share * (memory.length - 1))])
    .map((bytes) => Math.round(bytes / 1e6))
    .join(' → ')

async function measure(): Promise<void> {
  const { child: server, address } = await startRedis()
  const client = new Redis(address.options)
  const redis: number[] = []
  const interval = setInterval(async () => {
    redis.push(Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]))
  }, 250)
  const worker = startRole('worker', address)
  await once(worker.child, 'message')
  const began = performance.now()
  const producer = startRole('producer', address)
  const [code] = await once(producer.child, 'exit')
  const seconds = (performance.now() - began) / 1000
  clearInterval(interval)
  const left = (await client.keys('imagewoof:trials:*')).length
  for (const child of [worker.child, server]) child.kill()
  client.disconnect()
  if (code !== 0) throw new Error(`the producer has ended with exit code ${code}`)
  const best = (1000 / stubMilliseconds) * Number(jobs)
  console.log(
    `${trials} trials of ${stubMilliseconds} ms, ${jobs} at a time, in ${seconds.toFixed(1)} s`,
  )
  console.log(
    `throughput  ${(Number(trials) / seconds).toFixed(1)} a second, of ${best} without a queue`,
  )
  console.log(`producer    ${quarters(producer.memory)} MB`)
  console.log(`worker      ${quarters(worker.memory)} MB`)
  console.log(`Redis       ${quarters(redis)} MB, and ${left} keys at the end`)
}

const address = parseRedisAddress(url)
if (role === undefined || address === undefined) await measure()
else {
  const send = (): void => void process.send?.(process.memoryUsage.rss())
  send()
  setInterval(send, 250).unref()
  await (role === 'producer' ? produce : work)(address)
  process.disconnect?.()
}
