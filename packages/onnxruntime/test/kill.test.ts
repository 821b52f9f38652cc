import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seeded } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { bundle } from './bundle.ts'
import { create, stepAfter, text } from './resumable.ts'

const folderOfTest = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Runs a program until some milliseconds after its first sign of life. */
const killAfter = (program: string, path: string, delay: number): Promise<void> =>
  new Promise((resolve) => {
    const child = spawn('node', [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay))
    child.once('exit', () => resolve())
  })

test('killed 50 times at any moment, a whole checkpoint is there, the uninterrupted run’s', async () => {
  const path = join(folderOfTest(), 'training.safetensors')
  const program = await bundle('kill-me.ts')
  const random = seeded(9)
  const whole = await create(ort)
  let updates = 0
  for (let kill = 0; kill < 50; kill++) {
    await killAfter(program, path, 20 * random.uniform())
    const found = readFileSync(path)
    // No other trainer reads what is checked here: the bytes of the uninterrupted run are the measure.
    const reached = updatesIn(found)
    expect(reached).toBeGreaterThan(updates)
    while (updates < reached) updates = await stepAfter(whole, updates)
    expect(found.equals(await whole.save({ updates, text }))).toBe(true)
  }
  await whole.dispose()
})

/** The count in the notes of a checkpoint's header. */
function updatesIn(bytes: Buffer): number {
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()))
  return JSON.parse(JSON.parse(header.toString()).__metadata__.notes).updates
}

test('a disk that takes no more is an error, and the checkpoint before is kept', async () => {
  const folder = folderOfTest()
  const path = join(folder, 'training.safetensors')
  const program = await bundle('kill-me.ts')
  execFileSync('node', [program, path, '1'])
  const before = readFileSync(path)
  // A limit on the size of files stands for the end of the disk.
  const limited = `trap '' XFSZ; ulimit -f 64; exec node "${program}" "${path}"`
  expect(() => execFileSync('bash', ['-c', limited], { stdio: 'pipe' })).toThrow('EFBIG')
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(folder)).toEqual(['training.safetensors'])
})
