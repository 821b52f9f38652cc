import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { seeded } from '@diffgrad/onnx'
import { bundle } from '@diffgrad/testing/bundle'
import { testSeed } from '@diffgrad/testing/seed'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { replaceFile } from '../src/node.ts'
import { createTrainer, longNote, stepAfter } from './resumable-trainer.ts'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Runs a program, kills it when it has printed some lines, and waits for its end. */
async function runUntilKilled(
  program: string,
  args: readonly string[],
  lines: number,
  signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL',
) {
  const child = spawn('node', [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = 0
  createInterface(child.stdout).on('line', () => {
    if (++printed === lines) child.kill(signal)
  })
  const received = await new Promise((resolve) => child.once('exit', (_, name) => resolve(name)))
  expect(received).toBe(signal)
}

/** An uninterrupted training, which checkpoints must equal byte for byte. */
async function uninterrupted() {
  const trainer = await createTrainer(ort)
  let updates = 0
  return {
    async checkpointAfter(count: number): Promise<Uint8Array> {
      while (updates < count) updates = await stepAfter(trainer, updates)
      return trainer.save({ updates, longNote })
    },
    dispose: () => trainer.dispose(),
  }
}

/** The number of updates in the notes of a checkpoint, read without the trainer's own reader. */
function updatesIn(bytes: Buffer): number {
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()))
  return JSON.parse(JSON.parse(header.toString()).__metadata__.notes).updates
}

/** In the order in which `replaceFile` calls them. */
const operations = ['open', 'write', 'flush', 'close', 'rename', 'open folder', 'flush folder']

/** Whether killed before the rename: then a temporary file is left. */
const isBeforeRename = (i: number): boolean => i <= operations.indexOf('rename')

test.each(['SIGKILL', 'SIGINT'] as const)(
  'after %s before any file operation of a save, the old or the new checkpoint is there, whole, and the next save tidies up',
  async (signal) => {
    const folder = temporaryFolder()
    const path = join(folder, 'training.safetensors')
    const program = await bundle(import.meta.url, 'save-every-step.ts')
    const training = await uninterrupted()
    const operationsPerSave = operations.length + 1 // Closing the folder is the last.
    let updates = 0
    for (const [i, operation] of operations.entries()) {
      // The first save of each run succeeds, and removes what the run before left.
      const killAt = `${operationsPerSave + i + 1}`
      await runUntilKilled(program, [path, 'Infinity', killAt, signal], Infinity, signal)
      updates += isBeforeRename(i) ? 1 : 2
      const checkpoint = readFileSync(path)
      expect([operation, updatesIn(checkpoint)]).toEqual([operation, updates])
      expect(checkpoint.equals(await training.checkpointAfter(updates))).toBe(true)
      const strays = isBeforeRename(i) && operation !== 'open' ? 1 : 0
      expect([operation, readdirSync(folder).length]).toEqual([operation, 1 + strays])
    }
    await training.dispose()
  },
)

/** `pnpm kills 500` sets the number. */
const kills = Number(process.env.KILLS || 8)

test(
  `killed from outside or in a save ${kills} times, a whole checkpoint is there, as in uninterrupted training`,
  async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'training.safetensors')
    const program = await bundle(import.meta.url, 'save-every-step.ts')
    const training = await uninterrupted()
    const random = seeded(testSeed(9))
    const draw = (count: number): number => Math.floor(count * random.uniform())
    let updates = 0
    for (let kill = 0; kill < kills; kill++) {
      const signal = draw(4) === 0 ? 'SIGINT' : 'SIGKILL'
      const saves = 1 + draw(3)
      // From outside it is killed when a save has ended, so the next step or save has begun.
      const lines = draw(4) === 0 ? saves : Infinity
      const killAt = saves * (operations.length + 1) + 1 + draw(operations.length)
      const args = [path, 'Infinity', `${lines === Infinity ? killAt : 0}`, signal]
      await runUntilKilled(program, args, lines, signal)
      const checkpoint = readFileSync(path)
      const reached = updatesIn(checkpoint)
      expect(reached).toBeGreaterThanOrEqual(updates + saves)
      updates = reached
      expect(checkpoint.equals(await training.checkpointAfter(updates))).toBe(true)
      // At most what this run left: its first save removed the rest.
      expect(readdirSync(folder).length).toBeLessThanOrEqual(2)
    }
    execFileSync('node', [program, path, `${updates + 1}`])
    expect(readdirSync(folder)).toEqual(['training.safetensors'])
    await training.dispose()
  },
  60_000 + 5000 * kills,
)

test('of two saves at once on one path, one is there, whole, and no other file', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'training.safetensors')
  const [longer, shorter] = [Buffer.alloc(3_000_000, 1), Buffer.alloc(2_000_000, 2)]
  for (let i = 0; i < 10; i++) {
    await Promise.all([replaceFile(path, longer), replaceFile(path, shorter)])
    const saved = readFileSync(path)
    expect(saved.equals(longer) || saved.equals(shorter)).toBe(true)
  }
  expect(readdirSync(folder)).toEqual(['training.safetensors'])
})

test('a save keeps files that are not its own: of running processes, other hosts and other paths', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'training.safetensors')
  const unique = '01234567-89ab-cdef-0123-456789abcdef.new'
  const { pid: ended } = spawnSync('node', ['--version'])
  const kept = [
    `training.safetensors.${hostname()}.${process.ppid}.${unique}`,
    `training.safetensors.${hostname()}.${process.pid}.${unique}`,
    `training.safetensors.elsewhere.${ended}.${unique}`,
    `other.safetensors.${hostname()}.${ended}.${unique}`,
    `training.safetensors.${hostname()}.${ended}.new`,
  ]
  const stale = `training.safetensors.${hostname()}.${ended}.${unique}`
  for (const name of [...kept, stale]) writeFileSync(join(folder, name), 'x')
  await replaceFile(path, Buffer.from('checkpoint'))
  expect(readdirSync(folder)).toEqual([...kept, 'training.safetensors'].toSorted())
})

test('a full disk is an error, and the old checkpoint is kept', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'training.safetensors')
  const program = await bundle(import.meta.url, 'save-every-step.ts')
  execFileSync('node', [program, path, '1'])
  const before = readFileSync(path)
  // A limit on the size of files stands for a full disk.
  const limited = `trap '' XFSZ; ulimit -f 64; exec node "${program}" "${path}"`
  expect(() => execFileSync('bash', ['-c', limited], { stdio: 'pipe' })).toThrow('EFBIG')
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(folder)).toEqual(['training.safetensors'])
})
