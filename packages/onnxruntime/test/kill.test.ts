import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { seeded } from '@diffgrad/onnx'
import { testSeed } from '@diffgrad/testing/seed'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { bundle } from './bundle.ts'
import { createTrainer, longNote, stepAfter } from './resumable-trainer.ts'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Runs a program, kills it when it has printed some lines, and waits for its end. */
async function runUntilKilled(program: string, args: readonly string[], lines: number) {
  const child = spawn('node', [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = 0
  createInterface(child.stdout).on('line', () => {
    if (++printed === lines) child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => child.once('exit', (_, name) => resolve(name)))
  expect(signal).toBe('SIGKILL')
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

test('killed before any file operation of a save, the old or the new checkpoint is there, whole', async () => {
  const path = join(temporaryFolder(), 'training.safetensors')
  const program = await bundle('save-every-step.ts')
  const training = await uninterrupted()
  const operationsPerSave = operations.length + 1 // Closing the folder is the last.
  let updates = 0
  for (const [i, operation] of operations.entries()) {
    // The first save of each run succeeds.
    await runUntilKilled(program, [path, 'Infinity', `${operationsPerSave + i + 1}`], Infinity)
    const isRenamed = i > operations.indexOf('rename')
    updates += isRenamed ? 2 : 1
    const checkpoint = readFileSync(path)
    expect([operation, updatesIn(checkpoint)]).toEqual([operation, updates])
    expect(checkpoint.equals(await training.checkpointAfter(updates))).toBe(true)
  }
  await training.dispose()
})

/** On demand, as many as are worth waiting for. */
const kills = process.env.ALL_STEPS ? 50 : 8

test(`killed from outside ${kills} times, a whole checkpoint is there, as in uninterrupted training`, async () => {
  const path = join(temporaryFolder(), 'training.safetensors')
  const program = await bundle('save-every-step.ts')
  const training = await uninterrupted()
  const random = seeded(testSeed(9))
  let updates = 0
  for (let kill = 0; kill < kills; kill++) {
    const lines = 1 + Math.floor(5 * random.uniform())
    await runUntilKilled(program, [path], lines)
    const checkpoint = readFileSync(path)
    const reached = updatesIn(checkpoint)
    expect(reached).toBeGreaterThanOrEqual(updates + lines)
    updates = reached
    expect(checkpoint.equals(await training.checkpointAfter(updates))).toBe(true)
  }
  await training.dispose()
})

test('a full disk is an error, and the old checkpoint is kept', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'training.safetensors')
  const program = await bundle('save-every-step.ts')
  execFileSync('node', [program, path, '1'])
  const before = readFileSync(path)
  // A limit on the size of files stands for a full disk.
  const limited = `trap '' XFSZ; ulimit -f 64; exec node "${program}" "${path}"`
  expect(() => execFileSync('bash', ['-c', limited], { stdio: 'pipe' })).toThrow('EFBIG')
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(folder)).toEqual(['training.safetensors'])
})
