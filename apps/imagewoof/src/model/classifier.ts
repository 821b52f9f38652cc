import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { decodeImage } from '../data/decode.ts'
import { lastLine } from '../data/formats.ts'
import { Failure, messageOf } from '../failure.ts'

/** The predicted probability of a class. */
export interface ClassProbability {
  readonly label: string
  readonly probability: number
}

/** An image-classification pipeline of transformers.js. */
export interface Classifier {
  /** The `top` most probable classes of an image file, in descending order. */
  classify(image: string, top: number): Promise<readonly ClassProbability[]>
  dispose(): Promise<void>
}

/**
 * Loads an exported folder with the pipeline of transformers.js, as its users do. Nothing is downloaded.
 *
 * @throws {Failure} If transformers.js cannot load the folder.
 */
export async function openClassifier(folder: string): Promise<Classifier> {
  // Imported here because it takes a second to load.
  const { env, pipeline, RawImage } = await import('@xenova/transformers')
  env.allowRemoteModels = false
  env.useFSCache = false
  try {
    const classify = await pipeline('image-classification', resolve(folder), { dtype: 'fp32' })
    return {
      async classify(image, top) {
        try {
          // Decoded as `evaluate` does: CMYK and 16-bit images, for example, give the same colours.
          const { pixels, width, height } = await decodeImage(await readFile(image))
          const picture = new RawImage(new Uint8ClampedArray(pixels), width, height, 3)
          const classes = await classify(picture, { top_k: top })
          return [classes].flat(2).map(({ label, score }) => ({ label, probability: score }))
        } catch (cause) {
          throw new Failure(`${image}: ${imageFailure(cause)}`, { cause })
        }
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
  if (code === 'EISDIR') return 'is a folder; name the image files in it'
  return `cannot be read as an image: ${lastLine(messageOf(error))}`
}
