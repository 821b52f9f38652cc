import { classes } from '@diffgrad/testing/shapes'
import * as tf from '@tensorflow/tfjs'
import { batchOf, pictures, pixelsOf, size } from './data.ts'

/** Shows one picture of each class, and what a network takes it for. */
export class Guesses {
  readonly #items: readonly HTMLLIElement[]
  readonly #images: tf.Tensor4D

  constructor(list: HTMLElement) {
    const { images, labels } = batchOf(0, classes.length)
    labels.dispose()
    this.#images = images
    this.#items = classes.map((_, picture) => {
      const item = document.createElement('li')
      item.append(drawn(pixelsOf(picture)), classes[pictures.labels[picture]], ' ')
      item.append(document.createElement('span'))
      list.append(item)
      return item
    })
  }

  async update(model: tf.LayersModel): Promise<void> {
    const best = tf.tidy(() => tf.argMax(model.predict(this.#images) as tf.Tensor, 1)) // One output.
    const guesses = await best.data()
    best.dispose()
    for (const [picture, item] of this.#items.entries()) {
      const right = guesses[picture] === pictures.labels[picture]
      item.classList.toggle('right', right)
      const span = item.querySelector('span')
      if (span) span.textContent = right ? '✓' : `→ ${classes[guesses[picture]]}`
    }
  }
}

function drawn(pixels: Uint8Array): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size
  const image = new ImageData(size, size)
  for (let i = 0; i < size * size; i++) {
    image.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i)
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0)
  return canvas
}
