import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { create } from 'tar'
import { expect, onTestFinished, test } from 'vitest'
import { type OpenedDataset, type OpenOptions, openDataset } from '../../src/data/open.ts'
import { unpack } from '../../src/data/sources/unpack.ts'
import { folderOf, temporaryFolder } from '../images.ts'
import { serveFile } from '../server.ts'

// The rows of the table in docs/data.md, in its order.

const open = (data: string, options: Partial<OpenOptions> = {}): Promise<OpenedDataset> =>
  openDataset({ data, size: 20, cache: temporaryFolder(), ...options })

/** Files of two classes, each below `prefix`. */
const pets = (prefix = '', count = 10): Readonly<Record<string, undefined>> =>
  Object.fromEntries(
    ['cat', 'dog'].flatMap((name) =>
      Array.from({ length: count }, (_, i) => [`${prefix}${name}/${i}.jpg`, undefined]),
    ),
  )

const [trainPets, validationPets] = [pets('train/', 2), pets('val/', 1)]

/** The files of both splits, with `>` between a path and its class. */
const filesOf = ({ dataset }: OpenedDataset): readonly string[] =>
  (['train', 'validation'] as const).flatMap((split) =>
    dataset[split].files.map(
      (file, i) => `${split} ${file} > ${dataset.classes[dataset[split].labels[i]]}`,
    ),
  )

const skippedOf = ({ skipped }: OpenedDataset): readonly string[] =>
  skipped.map(({ file, reason }) => `${file}: ${reason}`)

test('class folders without a split: validation images are drawn from each class', async () => {
  const opened = await open(await folderOf(pets('', 30)))
  const { train, validation, classes } = opened.dataset
  expect(opened.drawn).toBe(0.2)
  expect(classes).toEqual(['cat', 'dog'])
  expect(train.files.length + validation.files.length).toBe(60)
  for (const label of [0, 1]) {
    const drawn = validation.labels.filter((other) => other === label).length
    expect(drawn).toBeGreaterThan(0)
    expect(drawn).toBeLessThan(15)
  }
  const shared = train.files.filter((file) => validation.files.includes(file))
  expect(shared).toEqual([])
})

test.each([
  ['train', 'validation'],
  ['Train', 'Valid'],
  ['TRAINING', 'VAL'],
  ['train', 'test'],
])('splits called %s and %s', async (train, validation) => {
  const opened = await open(
    await folderOf({ ...pets(`${train}/`, 2), ...pets(`${validation}/`, 1) }),
  )
  expect(opened.drawn).toBe(undefined)
  expect(filesOf(opened)).toEqual([
    `train ${train}/cat/0.jpg > cat`,
    `train ${train}/cat/1.jpg > cat`,
    `train ${train}/dog/0.jpg > dog`,
    `train ${train}/dog/1.jpg > dog`,
    `validation ${validation}/cat/0.jpg > cat`,
    `validation ${validation}/dog/0.jpg > dog`,
  ])
})

test('train, val and test: test is not used, which is said', async () => {
  const opened = await open(
    await folderOf({ ...trainPets, ...validationPets, ...pets('test/', 1) }),
  )
  expect(opened.dataset.validation.files).toEqual(['val/cat/0.jpg', 'val/dog/0.jpg'])
  expect(opened.dataset.warnings[0]).toBe('test is not used: val is the validation split.')
})

test('two folders for one split are rejected', async () => {
  const files = { ...trainPets, ...validationPets, ...pets('valid/', 1) }
  const folder = await folderOf(files)
  await expect(open(folder)).rejects.toThrow('holds val and valid; only one of them can be used')
  expect((await open(folder, { exclude: ['valid'] })).dataset.validation.files).toEqual([
    'val/cat/0.jpg',
    'val/dog/0.jpg',
  ])
})

test('train alone: validation images are drawn from it', async () => {
  const opened = await open(await folderOf(pets('train/', 4)))
  expect(opened.drawn).toBe(0.2)
  expect(filesOf(opened)).toHaveLength(8)
})

test('train, and a test without class folders, which is not used', async () => {
  const opened = await open(await folderOf({ ...pets('train/', 4), 'test/1.jpg': undefined }))
  expect(opened.drawn).toBe(0.2)
  expect(opened.dataset.warnings[0]).toBe('test is not used: it has no folder for each class.')
})

test('train and val without class folders are rejected', async () => {
  const folder = await folderOf({ 'train/1.jpg': undefined, 'val/1.jpg': undefined })
  await expect(open(folder)).rejects.toThrow('holds train and val without a folder for each class')
})

test('folders in a class belong to the class', async () => {
  const opened = await open(
    await folderOf({ ...trainPets, ...validationPets, 'train/dog/2019/may/1.jpg': undefined }),
  )
  expect(filesOf(opened)).toContain('train train/dog/2019/may/1.jpg > dog')
  expect(opened.skipped).toEqual([])
})

test.each([
  ['one folder', 'pets/'],
  ['several folders', 'a/b/pets/'],
])('%s around the data set', async (_, prefix) => {
  const split = await open(
    await folderOf({ ...pets(`${prefix}train/`, 2), ...pets(`${prefix}val/`, 1) }),
  )
  expect(split.dataset.train.files[0]).toBe('train/cat/0.jpg')
  const drawn = await open(await folderOf({ ...pets(prefix), [`${prefix}README`]: 'x' }))
  expect(
    filesOf(drawn)
      .map((file) => file.split(' ')[1])
      .sort()[0],
  ).toBe('cat/0.jpg')
})

test('two data sets in a folder are rejected', async () => {
  const folder = await folderOf({ ...pets('a/train/', 1), ...pets('b/train/', 1) })
  await expect(open(folder)).rejects.toThrow('must hold one folder train, but a, b hold one each')
})

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

test('a zip and tars of any compression hold the same data set', async () => {
  const folder = temporaryFolder()
  await mkdir(join(folder, 'pets'))
  await unpack(fixture('pets.zip'), join(folder, 'pets', 'around'))
  for (const [name, gzip] of [
    ['pets.tar', false],
    ['pets.tgz', true],
    ['pets.tar.gz', true],
  ] as const)
    await create({ file: join(folder, name), cwd: folder, gzip }, ['pets'])
  const plain = await open(join(folder, 'pets'))
  expect(plain.dataset.train.files).toEqual([
    'train/cat/1.png',
    'train/cat/2.png',
    'train/dog/1.png',
  ])
  const made = ['pets.tar', 'pets.tgz', 'pets.tar.gz'].map((name) => join(folder, name))
  const kept = ['pets.tar.bz2', 'pets.tar.xz', 'pets.zip'].map(fixture)
  for (const archive of [...made, ...kept]) {
    const { dataset } = await open(archive)
    expect([archive, dataset.name, dataset.hash]).toEqual([archive, 'pets', plain.dataset.hash])
  }
})

test('the URL of an archive is downloaded once', async () => {
  const cache = temporaryFolder()
  const server = await serveFile(await readFile(fixture('pets.zip')))
  const url = `${server.address}files/pets.zip?token=1`
  const first = await open(url, { cache })
  expect(first.dataset.name).toBe('pets')
  expect((await open(url, { cache })).dataset.hash).toBe(first.dataset.hash)
  expect(server.ranges).toEqual([undefined])
  expect(readdirSync(join(cache, 'archives'))).toEqual([expect.stringMatching(/^pets-\w{16}$/)])
})

test('a URL of a web page is named, and downloaded again the next time', async () => {
  const cache = temporaryFolder()
  const server = await serveFile(Buffer.from('<!DOCTYPE html><html><body>Sign in</body></html>'))
  const url = `${server.address}pets.zip`
  await expect(open(url, { cache })).rejects.toThrow(`${url} must be a folder, a CSV, a zip, or`)
  await expect(open(url, { cache })).rejects.toThrow('but is a web page')
  expect(server.ranges).toHaveLength(2)
  await expect(open('ftp://example.org/a.zip')).rejects.toThrow('begins with http:// or https://')
})

/** Images without class folders, and a table. */
const withTable = (table: string, name = 'labels.csv') =>
  folderOf({
    ...Object.fromEntries(['a', 'b', 'c', 'd'].map((image) => [`images/${image}.jpg`, undefined])),
    [name]: table,
  })

test('a CSV names files and labels, and optionally the split', async () => {
  const folder = await withTable(
    '\uFEFFFile Name;Class;Split\r\n"images/a.jpg";"cat; tabby";train\r\nb.jpg;dog;train\r\nc;cat; tabby;x\r\n',
  )
  await expect(open(folder)).rejects.toThrow('line 4: the split must be train, val or test')
  await writeFile(
    join(folder, 'labels.csv'),
    '\uFEFFFile Name;Class;Split\r\n"images/a.jpg";"cat; tabby";train\r\nb.jpg;dog;Training\r\nc;"cat; tabby";VAL\r\n',
  )
  for (const source of [folder, join(folder, 'labels.csv')])
    expect(filesOf(await open(source))).toEqual([
      'train images/a.jpg > cat; tabby',
      'train images/b.jpg > dog',
      'validation images/c.jpg > cat; tabby',
    ])
})

test('validation images are drawn from a CSV without a split; its useless rows are skipped', async () => {
  const rows = [
    'path,label',
    'images/a.jpg,1',
    'b,0',
    'b.jpg,1',
    'nowhere.jpg,1',
    'c.jpg,',
    'd.jpg,1',
  ]
  const opened = await open(await withTable(rows.join('\n')))
  expect(opened.drawn).toBe(0.2)
  expect(opened.dataset.classes).toEqual(['0', '1'])
  expect(filesOf(opened)).toHaveLength(3)
  expect(skippedOf(opened)).toEqual([
    'images/b.jpg: listed again with another label in labels.csv',
    'nowhere.jpg: named in labels.csv, but not a file beside it',
    'images/c.jpg: without a label in labels.csv',
  ])
})

test('a CSV without the columns is named with those that it has', async () => {
  const folder = await withTable('a,b\n1,2\n', 'table.csv')
  await expect(open(join(folder, 'table.csv'))).rejects.toThrow(
    'must have a column file, or path, filepath, file, filename, imagepath, image, imagefile, imagename, imageid, img; its columns are a, b',
  )
})

test('class folders beside a table that is about something else', async () => {
  const opened = await open(await folderOf({ ...pets(), 'notes.csv': 'a,b\n1,2\n' }))
  expect(opened.dataset.classes).toEqual(['cat', 'dog'])
})

test('--exclude leaves out files and folders, and must match something', async () => {
  const folder = await folderOf({
    ...trainPets,
    ...validationPets,
    'train/dog/a.gif': 'x',
    'train/bird/1.jpg': 'x',
    'old/train/cat/1.jpg': undefined,
  })
  const opened = await open(folder, { exclude: ['*.gif', 'bird/', 'old/**'] })
  const plain = await open(await folderOf({ ...trainPets, ...validationPets }))
  expect(opened.dataset.hash).toBe(plain.dataset.hash)
  await expect(open(folder, { exclude: ['*.bmp'] })).rejects.toThrow('--exclude *.bmp matches no')
})

test('--validation is refused for a data set with a split', async () => {
  const folder = await folderOf({ ...trainPets, ...validationPets })
  await expect(open(folder, { validation: 0.1 })).rejects.toThrow(
    '--validation 0.1 has no effect: ',
  )
})

test('what is no image of the user is skipped with a reason', async () => {
  const folder = await folderOf({
    ...trainPets,
    ...validationPets,
    'train/cat/.DS_Store': 'x',
    'train/cat/._0.jpg': 'x',
    'train/cat/Thumbs.db': 'x',
    'train/cat/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg': undefined,
    'train/__MACOSX/cat/._0.jpg': 'x',
    'train/dog/.hidden.jpg': 'x',
    'train/bird/notes.txt': 'x',
    'val/bird/1.jpg': undefined,
    'train/loose.jpg': undefined,
  })
  const opened = await open(folder)
  expect(opened.dataset.classes).toEqual(['cat', 'dog'])
  expect(filesOf(opened)).toHaveLength(6)
  expect([...skippedOf(opened)].sort()).toEqual([
    'train/__MACOSX: written by macOS',
    'train/bird: folder without images',
    'train/cat/.DS_Store: written by macOS',
    'train/cat/._0.jpg: written by macOS',
    'train/cat/@eaDir: written by a network storage',
    'train/cat/Thumbs.db: written by Windows',
    'train/dog/.hidden.jpg: hidden',
    'train/loose.jpg: image of no class',
    'val/bird: class without training images',
  ])
})

test.skipIf(process.platform === 'win32')(
  'links, FIFOs, sockets, devices and unreadable files are skipped with a reason',
  async () => {
    const folder = await folderOf({ ...trainPets, ...validationPets })
    const outside = await folderOf({ 'rex.jpg': undefined, 'back/1.jpg': undefined })
    const cat = (name: string): string => join(folder, 'train/cat', name)
    await symlink(join(outside, 'rex.jpg'), cat('linked.jpg'))
    await symlink('/nowhere/1.jpg', cat('dangling.jpg'))
    await symlink('..', cat('cycle'))
    await symlink(folder, join(folder, 'train/loop'))
    await symlink('/dev/zero', cat('zero.jpg'))
    execFileSync('mkfifo', [cat('pipe.jpg')])
    const server = createServer().listen(cat('socket.jpg'))
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    await symlink(outside, join(folder, 'train/dog/more'))
    await symlink(folder, join(outside, 'back/again'))
    const opened = await open(folder)
    expect(filesOf(opened)).toHaveLength(9)
    expect(opened.dataset.train.files).toContain('train/cat/linked.jpg')
    expect(opened.dataset.train.files).toContain('train/dog/more/rex.jpg')
    const link = 'link to a folder that is inside or around this one'
    expect([...skippedOf(opened)].sort()).toEqual([
      `train/cat/cycle: ${link}`,
      'train/cat/dangling.jpg: dangling link',
      'train/cat/pipe.jpg: FIFO, not a file',
      'train/cat/socket.jpg: socket, not a file',
      'train/cat/zero.jpg: device, not a file',
      `train/dog/more/back/again: ${link}`,
      `train/loop: ${link}`,
    ])
  },
)

test.runIf(process.platform === 'linux')('a file that cannot be read is skipped', async () => {
  const folder = await folderOf({ ...trainPets, ...validationPets })
  // A regular file whose reading fails, even for root.
  await symlink('/proc/self/mem', join(folder, 'train/cat/1.jpeg'))
  expect(skippedOf(await open(folder))).toEqual(['train/cat/1.jpeg: cannot be read (EIO)'])
})

test('a failure lists what was found', async () => {
  const folder = await folderOf({
    'mine/a.txt': 'x',
    'mine/b.txt': 'x',
    'mine/deep/c.mov': 'x',
    'read.me': 'x',
  })
  await expect(open(folder)).rejects.toThrow(
    [
      'must hold images in a folder for each class, but holds none; expected <class>/*, or train/<class>/* and val/<class>/*, or images with a CSV that has a column file and a column label',
      'found:',
      '  1 file (1 me) beside the folders',
      '  mine/  3 files (2 txt, 1 mov), in folders deep',
    ].join('\n'),
  )
})
