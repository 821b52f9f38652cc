import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../../failure.ts'
import { createCacheFolder, recordUse } from '../cache.ts'
import { DigestIndex } from '../digest-index.ts'
import { isLabelTable } from '../labels.ts'
import type { ProgressOptions } from '../progress.ts'
import { type ArchiveFile, download } from './download.ts'
import { unpack } from './unpack.ts'

interface PublishedArchive extends ArchiveFile {
  readonly url: string
}

/**
 * One of fast.ai's archives of ImageWoof and Imagenette (https://github.com/fastai/imagenette). The MD5
 * sums are those that torchvision and other loaders check.
 */
const fastAi = (name: string, size: number, md5: string): readonly [string, PublishedArchive] => [
  name,
  { url: `https://s3.amazonaws.com/fast-ai-imageclas/${name}.tgz`, size, md5 },
]

const imagenette160 = fastAi('imagenette2-160', 99_003_388, 'e793b78cc4c9e9a4ccc0c1155377a412')

/** The archives that can be named instead of a path. */
export const archives: ReadonlyMap<string, PublishedArchive> = new Map([
  fastAi('imagewoof2-160', 92_612_825, '3d200a7be99704a0d7509be2a9fbfe15'),
  fastAi('imagewoof2-320', 328_387_740, '0f46d997ec2264e97609196c95897a44'),
  fastAi('imagewoof2', 1_343_715_595, '9aafe18bcdb1632c4249a76c458465ba'),
  ['imagenette', imagenette160[1]],
  imagenette160,
  fastAi('imagenette2-320', 341_663_724, '3df6f0d01a2c9592104656642f5e78a3'),
  fastAi('imagenette2', 1_557_161_267, 'fe2fc210e6bb7c5664d602c3cd71e612'),
  [
    'cifar10',
    {
      // The MD5 sum is that of https://www.cs.toronto.edu/~kriz/cifar.html.
      url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
      size: 170_052_171,
      md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    },
  ],
])

interface LocatedImages {
  /** Name of the data set in reports. */
  readonly name: string
  /** A folder, or a CSV. */
  readonly path: string
}

/** Where data is downloaded from and stored. */
export interface DataLocations {
  /** Folder for downloaded, unpacked and decoded data. */
  readonly cache: string
  /** URL of a folder that holds the published archives; undefined for those of their publishers. */
  readonly address?: string | undefined
}

/** Whether a source is the URL of an archive. */
export const isUrl = (source: string): boolean => /^https?:\/\//i.test(source)

/**
 * Finds the images of a source: a folder, a CSV, an archive, the URL of an archive, or the name of a
 * published one. Archives are downloaded and unpacked the first time.
 *
 * @throws {Failure} If the source does not exist, or is something else.
 * @throws the signal's reason if it aborts.
 */
export async function locate(
  source: string,
  { cache, address }: DataLocations,
  progress: ProgressOptions = {},
): Promise<LocatedImages> {
  const folder = join(cache, 'archives')
  const published = archives.get(source)
  if (published) {
    const { url, ...expected } = published
    const file = basename(url)
    const path = join(folder, file)
    if (!(await kindOf(path))) {
      await createCacheFolder(folder)
      const from = address === undefined ? url : new URL(file, address.replace(/\/*$/, '/')).href
      await download(from, path, { ...expected, ...progress })
    }
    return { name: source, path: await unpackOnce(path, source, cache, progress) }
  }
  if (isUrl(source)) {
    const name = archiveName(decodeURIComponent(new URL(source).pathname)) || 'images'
    const digest = createHash('sha256').update(source).digest('hex').slice(0, 16)
    const path = join(folder, `${name}-${digest}`)
    if (!(await kindOf(path))) {
      await createCacheFolder(folder)
      await download(source, path, progress)
    }
    try {
      return { name, path: await unpackOnce(path, name, cache, progress) }
    } catch (error) {
      // The next call downloads it again: it may have been an error page.
      if (error instanceof Failure) await rm(path, { force: true })
      throw error instanceof Failure
        ? new Failure(error.message.replace(path, source), { cause: error })
        : error
    }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source))
    throw new Failure(`${source} must be a path, or a URL that begins with http:// or https://`)
  const kind = await kindOf(source)
  if (!kind) {
    const names = ['shapes', ...archives.keys()].join(', ')
    throw new Failure(`there is no folder or archive ${source}; named data sets are ${names}`)
  }
  const name = basename(resolve(source))
  if (kind === 'folder') return { name, path: source }
  if (isLabelTable(source)) return { name: archiveName(name), path: source }
  return {
    name: archiveName(name),
    path: await unpackOnce(source, archiveName(name), cache, progress),
  }
}

/** The name of an archive or table without its extensions. */
const archiveName = (path: string): string =>
  basename(path).replace(/(\.tar)?\.(tgz|tbz2?|txz|tar|gz|bz2|xz|zip|csv|tsv)$/i, '')

/** The folder of an unpacked archive, named by the archive's content rather than its path. */
async function unpackOnce(
  archive: string,
  name: string,
  cache: string,
  progress: ProgressOptions,
): Promise<string> {
  const index = await DigestIndex.open(cache, dirname(archive))
  const digest = await index.digest(basename(archive), progress.signal).finally(() => index.close())
  await recordUse(cache, [archive])
  const folder = join(cache, 'unpacked', `${name}-${digest.slice(0, 16)}`)
  if (!(await kindOf(folder))) {
    await createCacheFolder(join(cache, 'unpacked'))
    await unpack(archive, folder, progress)
  }
  return folder
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined
  return found.isDirectory() ? 'folder' : 'file'
}
