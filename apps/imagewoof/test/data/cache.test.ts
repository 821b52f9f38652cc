import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { PixelBudget } from '../../src/data/decode-split.ts'
import { openDataset } from '../../src/data/open.ts'
import { run, start } from '../command.ts'
import { catsAndDogs, folderOf, temporaryFolder } from '../images.ts'
import { serveStalledArchive } from '../server.ts'

/** All files in a folder, relative to it. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .toSorted()

async function archiveOf(files: Parameters<typeof folderOf>[0]): Promise<string> {
  const file = join(temporaryFolder(), 'pets.tgz')
  await create({ file, cwd: await folderOf(files), gzip: true }, ['train', 'val'])
  return file
}

test('what killed processes left in the cache is removed by the next start', async () => {
  const cache = temporaryFolder()
  const archive = await archiveOf(catsAndDogs)
  await openDataset({ data: archive, size: 32, cache })
  const undisturbed = filesIn(cache)
  const [decoded] = readdirSync(join(cache, 'decoded'))
  // No process has the identifier 2 ** 30: Linux gives at most 2 ** 22.
  const leftover = `.${hostname()}.${2 ** 30}.01234567-89ab-cdef-0123-456789abcdef.new`
  const inUse = `.${hostname()}.${process.pid}.01234567-89ab-cdef-0123-456789abcdef.new`
  mkdirSync(join(cache, 'archives'), { recursive: true })
  mkdirSync(join(cache, 'unpacked', `pets-0123${leftover}`, 'train'), { recursive: true })
  mkdirSync(join(cache, 'decoded', decoded.replace(/\d+$/, '1')))
  const owner = {
    id: 'x',
    pid: 2 ** 30,
    host: hostname(),
    since: '',
    processStart: null,
    command: '',
  }
  for (const file of [
    `unpacked/pets-0123${leftover}/train/1.jpg`,
    `decoded/${decoded.replace(/\d+$/, '1')}/train-00000.chunk`,
    `decoded/${decoded}/train-00000.chunk${leftover}`,
    `uses.json${leftover}`,
    'user-abc',
    'clearing',
  ])
    writeFileSync(join(cache, file), JSON.stringify(owner))
  writeFileSync(join(cache, `uses.json${inUse}`), '')
  await openDataset({ data: archive, size: 32, cache })
  expect(filesIn(cache)).toEqual([...undisturbed, `uses.json${inUse}`].toSorted())
})

test('`cache` shows what the cache holds, and `cache clear` removes it', async () => {
  const cache = temporaryFolder()
  const folder = await folderOf(catsAndDogs)
  await openDataset({ data: await archiveOf(catsAndDogs), size: 32, cache })
  await openDataset({ data: folder, size: 20, cache })
  const today = new Date().toLocaleDateString('sv')
  const shown = await run(['cache'], cache)
  expect(shown.errors).toBe('')
  expect(shown.output).toContain(`cache  ${cache}\n`)
  expect(shown.output).toMatch(
    new RegExp(`^unpacked +pets-[0-9a-f]{16} +\\d+ kB +last used ${today}`, 'm'),
  )
  expect(shown.output).toMatch(/^decoded +pets, 32 px +\d+ kB +last used/m)
  expect(shown.output).toMatch(/^decoded +\S+, 20 px +\d+ kB +last used/m)
  expect(shown.output).toMatch(/^total \d+ kB$/m)
  expect((await run(['cache', 'clear', 'photos'], cache)).errors).toContain(
    'Allowed choices are archives, unpacked, decoded, digests, hub',
  )
  expect((await run(['cache', 'clear', 'decoded'], cache)).output).toMatch(/^removed 2 entries, /)
  expect(existsSync(join(cache, 'decoded'))).toBe(false)
  expect(existsSync(join(cache, 'unpacked'))).toBe(true)
  expect((await run(['cache', 'clear'], cache)).code).toBe(0)
  expect(filesIn(cache)).toEqual([])
  expect((await run(['cache'], cache)).output).toContain('It is empty.')
})

test('the cache is not emptied while a process uses it', async () => {
  const cache = temporaryFolder()
  const address = await serveStalledArchive()
  const { child, ended } = start(['prepare', 'imagewoof2-160'], cache, {
    IMAGEWOOF_ADDRESS: address,
  })
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  const { code, errors } = await run(['cache', 'clear'], cache)
  expect(code).toBe(1)
  expect(errors).toContain(`the cache ${cache} is in use by process ${child.pid} on ${hostname()}`)
  expect(filesIn(join(cache, 'archives'))).toContain('imagewoof2-160.tgz.part')
  child.kill('SIGKILL')
  await ended
  expect((await run(['cache', 'clear'], cache)).code).toBe(0)
  expect(filesIn(cache)).toEqual([])
})

test('pixels in memory are bounded: large images are decoded alone', async () => {
  const budget = new PixelBudget(100)
  let [pixels, images, most] = [0, 0, 0]
  const alone: boolean[] = []
  const works = [30, 30, 30, 30, 500, 30, 90, 30].map((count) =>
    budget.run(count, async () => {
      pixels += count
      images++
      most = Math.max(most, images)
      await new Promise(setImmediate)
      if (count === 500) alone.push(pixels === 500)
      else expect(pixels).toBeLessThanOrEqual(100)
      pixels -= count
      images--
    }),
  )
  await Promise.all(works)
  expect(most).toBe(3)
  expect(alone).toEqual([true])
  await expect(budget.run(200, () => Promise.reject(new Error('no image')))).rejects.toThrow('no')
  expect(await budget.run(200, async () => 'free again')).toBe('free again')
})

test('a small file that claims too many pixels is refused by name, and the others are decoded', async () => {
  const bomb = await sharp({ create: { width: 20, height: 10, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  bomb.writeUInt32BE(40_000, 16)
  bomb.writeUInt32BE(30_000, 20)
  // The checksum of the header.
  const { crc32 } = await import('node:zlib')
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
  const folder = await folderOf({ ...catsAndDogs, 'train/dog/bomb.png': bomb })
  const { skipped, dataset } = await openDataset({
    data: folder,
    size: 32,
    cache: temporaryFolder(),
  })
  expect(skipped).toEqual([
    {
      file: 'train/dog/bomb.png',
      reason: 'an image may have at most 16383 × 16383 pixels, but this one has 40000 × 30000',
    },
  ])
  expect(dataset.train.files).toHaveLength(3)
})
