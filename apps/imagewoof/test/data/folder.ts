import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'

/** An empty folder that is gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imagewoof-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A photograph: noise of a colour. */
export const photograph = (seed: number, width = 48, height = 40): Promise<Buffer> =>
  sharp(
    Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => (Math.imul(i + 1, 7919 * (seed + 1)) >> 5) % 256,
    ),
    { raw: { width, height, channels: 3 } },
  )
    .blur(1.5)
    .jpeg()
    .toBuffer()

/** A folder with the given files; a picture is drawn for each that has no content. */
export async function folderOf(
  files: Readonly<Record<string, Uint8Array | string | undefined>>,
): Promise<string> {
  const folder = emptyFolder()
  for (const [i, [path, content]] of Object.entries(files).entries()) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content ?? (await photograph(i)))
  }
  return folder
}

/** Two classes with three pictures to train on, and two to judge by. */
export const catsAndDogs: Readonly<Record<string, undefined>> = Object.fromEntries(
  ['train/cat/1', 'train/cat/2', 'train/dog/1', 'val/cat/3', 'val/dog/2'].map((name) => [
    `${name}.JPEG`,
    undefined,
  ]),
)
