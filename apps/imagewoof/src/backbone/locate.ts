import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { cacheFolder } from '../data/cache-folder.ts'
import { Failure, messageOf } from '../failure.ts'

/** What of a model in the form of transformers.js is needed. */
const files = ['config.json', 'preprocessor_config.json', 'onnx/model.onnx'] as const

/**
 * The folder of a backbone. One of the Hugging Face hub is fetched when it is met first, from
 * HF_ENDPOINT if that is set.
 *
 * @throws {Failure} If it is neither a folder nor on the hub.
 */
export async function locateBackbone(source: string): Promise<string> {
  const kind = await stat(source).catch(() => undefined)
  if (kind?.isDirectory()) return source
  if (kind || !/^[\w.-]+\/[\w.-]+$/.test(source))
    throw new Failure(
      `backbone ${source}: must be a folder, or a name of the hub such as owner/model`,
    )
  const folder = join(cacheFolder(), 'hub', source)
  const address = process.env.HF_ENDPOINT ?? 'https://huggingface.co'
  for (const file of files)
    await fetchOnce(`${address}/${source}/resolve/main/${file}`, join(folder, file))
  return folder
}

async function fetchOnce(url: string, path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  const response = await fetch(url).catch((cause) => {
    throw new Failure(`${url}: cannot be fetched: ${messageOf(cause.cause ?? cause)}`, { cause })
  })
  if (!response.ok) throw new Failure(`${url}: cannot be fetched: ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  await mkdir(dirname(path), { recursive: true })
  await replaceFile(path, bytes)
}
