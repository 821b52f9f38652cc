import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeDataset } from '../../src/commands/prepare.ts'
import { openDataset } from '../../src/data/open.ts'
import { start } from '../command.ts'
import { catsAndDogs, folderOf, temporaryFolder } from '../images.ts'
import { serveStalledArchive } from '../server.ts'

test('prepare prints the contents of a data set', async () => {
  const folder = await folderOf({ ...catsAndDogs, 'val/dog/3.jpg': 'not an image' })
  const opened = await openDataset({ data: folder, size: 32, cache: temporaryFolder() })
  const text = describeDataset(opened)
  expect(text).toMatch(/cat +2 +1\ndog +1 +1\ntotal +3 +2\n/)
  expect(text).toMatch(/1 skipped:\n {2}val\/dog\/3.jpg: .*unsupported/)
  expect(text).toContain(`decoded   ${opened.folders?.decoded}`)
  expect(text).toMatch(/hash {6}[0-9a-f]{64}$/)
})

test('Ctrl-C ends prepare, and the partial download is kept', async () => {
  const cache = temporaryFolder()
  const { child, ended } = start(['prepare', 'imagewoof2-160'], cache, {
    IMAGEWOOF_ADDRESS: await serveStalledArchive(),
  })
  child.stdout?.once('data', () => child.kill('SIGINT'))
  expect((await ended).code).toBe(130)
  expect(readdirSync(cache)).toEqual(['archives'])
  expect(readdirSync(join(cache, 'archives'))).toEqual(['imagewoof2-160.tgz.part'])
})
