import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { RawImage } from '@xenova/transformers'
import { decodeImage } from '../data/decode.ts'
import { lastLine } from '../data/formats.ts'
import { Failure, messageOf } from '../failure.ts'
import type { Provider } from '../provider.ts'

/** The predicted probability of a class. */
export interface ClassProbability {
  readonly label: string
  readonly probability: number
}

/** A decoded image: an object of transformers.js. */
type Picture = RawImage

/** An image-classification pipeline of transformers.js. */
export interface Classifier {
  /** Number of classes. */
  readonly classes: number
  /**
   * Decodes an image file as `evaluate` does: CMYK and 16-bit images, for example, give the same colours.
   *
   * @throws {Failure} Saying why the file cannot be read, without its name.
   */
  read(image: string): Promise<Picture>
  /** The `top` most probable classes, in descending order. */
  classify(picture: Picture, top: number): Promise<readonly ClassProbability[]>
  dispose(): Promise<void>
}

/**
 * Loads an exported folder with the pipeline of transformers.js, as its users do. Nothing is downloaded.
 *
 * @param provider - of the ONNX Runtime of transformers.js.
 * @throws {Failure} If transformers.js cannot load the folder.
 */
export async function openClassifier(
  folder: string,
  provider: Provider = 'cpu',
): Promise<Classifier> {
  // Imported here because it takes a second to load.
  const { env, pipeline, RawImage } = await import('@xenova/transformers')
  env.allowRemoteModels = false
  env.useFSCache = false
  try {
    const options = { dtype: 'fp32', device: provider } as const
    const classify = await pipeline('image-classification', resolve(folder), options)
    const { id2label = {} } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    return {
      classes: Object.keys(id2label).length,
      async read(image) {
        try {
          const { pixels, width, height } = await decodeImage(await readFile(image))
          return new RawImage(new Uint8ClampedArray(pixels), width, height, 3)
        } catch (cause) {
          throw new Failure(imageFailure(cause), { cause })
        }
      },
      async classify(picture, top) {
        const classes = await classify(picture, { top_k: top })
        return [classes].flat(2).map(({ label, score }) => ({ label, probability: score }))
      },
      dispose: () => classify.dispose(),
    }
  } catch (cause) {
    throw new Failure(`${folder}: transformers.js cannot load it: ${messageOf(cause)}`, { cause })
  }
}

/** Why an image file cannot be classified. */
function imageFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  return `cannot be read as an image: ${lastLine(messageOf(error))}`
}
