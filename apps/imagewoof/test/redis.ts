import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { parseRedisAddress, type RedisAddress } from '../src/trials/redis.ts'

/** Whether redis-server is installed. */
export const hasRedis: boolean = spawnSync('redis-server', ['--version']).status === 0

/** Starts a Redis on a free port. It keeps nothing on disk. */
export async function startRedis(): Promise<{
  readonly child: ChildProcess
  readonly address: RedisAddress
}> {
  const port = await freePort()
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()]
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  await line(child, /Ready to accept connections/)
  const address = parseRedisAddress(`redis://127.0.0.1:${port}`)
  if (address === undefined) throw new Error(`${port} is no port`)
  return { child, address }
}

/** A port of this machine that no program uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** Waits for a line of the output of a process. The rest of its output is lost. */
export async function line(child: ChildProcess, pattern: RegExp): Promise<void> {
  if (child.stdout === null) throw new Error('the output of the process is not a pipe')
  for await (const text of createInterface({ input: child.stdout }))
    if (pattern.test(text)) {
      child.stdout.resume()
      return
    }
  throw new Error(`the process has ended without a line like ${pattern}`)
}
