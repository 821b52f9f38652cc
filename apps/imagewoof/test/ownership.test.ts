import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { leaseVariable } from '../src/lock.ts'
import { RunFolder } from '../src/run/run-folder.ts'
import { fileFolder, historyOf, run, signalBeforeWrite, start, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const [cache, data, out] = ['cache', 'data', 'run'].map((name) => join(folder, name))
const train = (path: string): readonly string[] => [
  ...['train', '--data', data, '--out', path, ...tinyNetwork, '--epochs', '2'],
]
const lock = (path: string): string => join(path, 'lock')

/** Commands that write in the folder of a run. */
const writers: readonly (readonly string[])[] = [
  ['resume', out],
  ['export', out],
]

/** A training that stops itself before it saves the second epoch, and holds its run. */
let owner: ReturnType<typeof start>

/** Waits until a process is stopped, as Linux says it. */
async function untilStopped(pid: number): Promise<void> {
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))
    await new Promise(setImmediate)
}

beforeAll(async () => {
  await writePatterns(data)
  owner = start(train(out), cache, signalBeforeWrite('SIGSTOP', 'last.safetensors', 2))
  await untilStopped(owner.child.pid ?? 0)
})

test('a second command that writes is told who owns the run, and since when', async () => {
  const { since } = JSON.parse(readFileSync(lock(out), 'utf8'))
  const time = new Date(since).toLocaleString('sv')
  for (const command of writers) {
    const { code, errors } = await run(command, cache)
    expect(errors).toBe(
      `error: the run ${out} is in use by process ${owner.child.pid} on ${hostname()} (${train(out).join(' ')}), since ${time}\n`,
    )
    expect(code).toBe(1)
  }
  expect((await run(train(out), cache)).errors).toContain('already exists')
})

test('commands that read work beside the owner, and leave nothing in its folder', async () => {
  const before = readdirSync(out).toSorted()
  const image = join(data, 'val', 'rows', '1.jpeg')
  const commands = [
    ['evaluate', out],
    ['predict', out, image],
    ['export', out, '--out', join(folder, 'exported')],
  ]
  for (const command of commands) {
    const { code, errors } = await run(command, cache)
    expect(errors).not.toContain('error')
    expect(code).toBe(0)
  }
  expect(readdirSync(out).toSorted()).toEqual(before)
})

test('the lock of a killed process is taken over, and released at the end', async () => {
  owner.child.kill('SIGKILL')
  await owner.ended
  expect(existsSync(lock(out))).toBe(true)
  const { code, errors } = await run(['resume', out], cache)
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(historyOf(out).epochs).toHaveLength(2)
  expect(readdirSync(out).filter((name) => /^lock|\.new$/.test(name))).toEqual([])
})

test('a process with the identifier of an ended owner does not hold the run', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(other, 'spawn')
  const stale = {
    id: '1',
    pid: other.pid,
    host: hostname(),
    since: new Date(0).toISOString(),
    processStart: '1',
    command: 'train',
  }
  writeFileSync(lock(out), JSON.stringify(stale))
  expect((await run(['resume', out], cache)).errors).toBe('')
  other.kill()
  await once(other, 'exit')
})

const foreign = {
  id: '1',
  pid: 4,
  host: 'elsewhere',
  since: '2026-01-02T03:04:05.000Z',
  processStart: null,
  command: 'resume x',
}

test('the lock of another host is kept, and the message says how to remove it', async () => {
  writeFileSync(lock(out), JSON.stringify(foreign))
  const { code, errors } = await run(['resume', out], cache)
  expect(code).toBe(1)
  expect(errors).toContain('is in use by process 4 on elsewhere (resume x), since 2026-01-0')
  expect(errors).toContain(`if that process has ended, delete ${lock(out)}`)
  writeFileSync(lock(out), '') // Damaged.
  expect((await run(['resume', out], cache)).errors).toBe('')
})

test('the lease of a queue takes over the lock of another host, whose process saves nothing any more', async () => {
  const path = join(folder, 'leased')
  mkdirSync(path)
  const leased = new RunFolder(path)
  const lockOf = (owner: object): void => writeFileSync(lock(path), JSON.stringify(owner))
  vi.stubEnv(leaseVariable, 'redis://host:6379/trials/a-0')
  onTestFinished(() => void vi.unstubAllEnvs())
  for (const lease of [undefined, 'redis://host:6379/trials/a-1']) {
    lockOf({ ...foreign, lease })
    await expect(leased.own()).rejects.toThrow('is in use by process 4 on elsewhere')
  }
  lockOf({ ...foreign, lease: 'redis://host:6379/trials/a-0' })
  await leased.own()
  await leased.save('file', 'saved')
  lockOf({ ...foreign, id: '2' }) // This process was suspended, and the queue gave the trial to another.
  await expect(leased.save('file', 'lost')).rejects.toThrow(
    `the run ${path} was taken over by process 4 on elsewhere`,
  )
  expect(readFileSync(join(path, 'file'), 'utf8')).toBe('saved')
})

test('a comparison has one owner, too', async () => {
  const path = join(folder, 'comparison')
  const compare = ['compare', 'diffgrad', '--data', data, ...tinyNetwork]
  const options = ['--epochs', '1', '--runs', '1', '--out', path]
  const first = start(
    [...compare, ...options],
    cache,
    signalBeforeWrite('SIGSTOP', 'last.safetensors'),
  )
  await untilStopped(first.child.pid ?? 0)
  const { errors } = await run(['resume', path], cache)
  expect(errors).toContain(`the comparison ${path} is in use by process ${first.child.pid}`)
  const [inner] = readdirSync(join(path, 'runs'))
  const single = await run(['resume', join(path, 'runs', inner)], cache)
  expect(single.errors).toContain(`is in use by process ${first.child.pid}`)
  first.child.kill('SIGCONT')
  expect((await first.ended).code).toBe(0)
  expect(readdirSync(path).toSorted()).not.toContain('lock')
})

test('a killed creation of a run leaves no folder in its place', async () => {
  const path = join(folder, 'killed')
  const { code } = await run(train(path), cache, signalBeforeWrite('SIGKILL', 'config.json'))
  expect(code).toBeNull()
  expect(existsSync(path)).toBe(false)
  expect((await run(train(path), cache)).errors).toBe('')
  expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([])
  mkdirSync(join(folder, 'empty'))
  expect((await run(train(join(folder, 'empty')), cache)).errors).toContain('already exists')
})
