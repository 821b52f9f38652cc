import { resolve } from 'node:path'
import { Failure, messageOf } from '../failure.ts'

/** A class and how probable it is. */
interface Guess {
  readonly label: string
  readonly probability: number
}

/** What transformers.js makes of photographs. */
export interface Classifier {
  /** The most probable classes of a photograph, most probable first. */
  classify(image: string, top: number): Promise<readonly Guess[]>
  dispose(): Promise<void>
}

/**
 * Loads an exported folder as anyone would, by the pipeline of transformers.js. Nothing is fetched.
 *
 * @throws {Failure} If it is no such folder.
 */
export async function openClassifier(folder: string): Promise<Classifier> {
  // It takes a second to load, which only this needs.
  const { env, pipeline } = await import('@xenova/transformers')
  env.allowRemoteModels = false
  env.useFSCache = false
  try {
    const classify = await pipeline('image-classification', resolve(folder), { dtype: 'fp32' })
    return {
      async classify(image, top) {
        try {
          const guesses = await classify(image, { top_k: top })
          return [guesses].flat(2).map(({ label, score }) => ({ label, probability: score }))
        } catch (cause) {
          throw new Failure(`${image}: cannot be read as a picture: ${messageOf(cause)}`, { cause })
        }
      },
      dispose: () => classify.dispose(),
    }
  } catch (cause) {
    throw new Failure(`${folder}: is no folder that transformers.js loads: ${messageOf(cause)}`, {
      cause,
    })
  }
}
