import type { SavedArray } from '@diffgrad/core'
import type { Tensor } from '@tensorflow/tfjs-core'

/** An object of the same names, once all values are there. */
export async function mapped<A, B>(
  named: Readonly<Record<string, A>>,
  change: (value: A) => Promise<B>,
): Promise<Record<string, B>> {
  const entries = Object.entries(named).map(async ([name, value]) => [name, await change(value)])
  return Object.fromEntries(await Promise.all(entries))
}

/** The elements of tensors, in arrays that nobody else has. */
export const readAndDispose = (
  tensors: Readonly<Record<string, Tensor>>,
): Promise<Record<string, SavedArray>> =>
  mapped(tensors, async (tensor) => {
    const elements = await tensor.data<'float32'>()
    tensor.dispose()
    return elements.slice()
  })
