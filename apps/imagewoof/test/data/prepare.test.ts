import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { summaryOf } from '../../src/commands/prepare.ts'
import { openDataset } from '../../src/data/open.ts'
import { catsAndDogs, emptyFolder, folderOf } from './folder.ts'
import { serve } from './serve.ts'

test('prepare tells what is in a data set', async () => {
  const folder = await folderOf({ ...catsAndDogs, 'val/dog/3.jpg': 'no picture' })
  const opened = await openDataset({ data: folder, size: 32, cache: emptyFolder() })
  const text = summaryOf(opened)
  expect(text).toMatch(/cat +2 +1\ndog +1 +1\ntogether +3 +2\n/)
  expect(text).toMatch(/1 skipped, being no pictures:\n {2}val\/dog\/3.jpg: .*unsupported/)
  expect(text).toContain(`decoded   ${opened.folders?.decoded}`)
  expect(text).toMatch(/hash {6}[0-9a-f]{64}$/)
})

test('Ctrl-C ends prepare; what has arrived is kept for the next time', async () => {
  const cache = emptyFolder()
  const address = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 92_612_825 })
    response.write(new Uint8Array(100_000))
  })
  const fixture = new URL('prepare-here.ts', import.meta.url).pathname
  const child = spawn(
    'node',
    ['--import', 'tsx', '--conditions=@diffgrad/source', fixture, 'prepare', 'imagewoof2-160'],
    { env: { ...process.env, IMAGEWOOF_CACHE: cache, IMAGEWOOF_ADDRESS: address } },
  )
  child.stdout.once('data', () => child.kill('SIGINT'))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect(code).toBe(130)
  expect(readdirSync(cache)).toEqual(['archives'])
  expect(readdirSync(join(cache, 'archives'))).toEqual(['imagewoof2-160.tgz.part'])
})
