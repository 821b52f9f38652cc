import { classes } from '@diffgrad/testing/shapes'
import * as tf from '@tensorflow/tfjs'
import { batch, dataset, pixelsOf, size } from './model.ts'

/** Draws the loss of every step, and its running mean. */
export function drawLosses(canvas: HTMLCanvasElement, losses: readonly number[]): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const { width, height } = canvas
  const highest = Math.max(...losses)
  const x = (step: number): number => (step / Math.max(losses.length - 1, 1)) * width
  const y = (loss: number): number => height - (loss / highest) * 0.92 * height
  const line = (values: readonly number[], lineWidth: number, alpha: number): void => {
    context.globalAlpha = alpha
    context.lineWidth = lineWidth
    context.beginPath()
    for (const [step, value] of values.entries()) context.lineTo(x(step), y(value))
    context.stroke()
  }
  context.clearRect(0, 0, width, height)
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue('--loss')
  context.lineJoin = 'round'
  line(losses, 2, 0.35)
  line(runningMean(losses), 5, 1)
}

const runningMean = (losses: readonly number[]): readonly number[] => {
  let mean = losses[0]
  return losses.map((loss) => {
    mean += 0.1 * (loss - mean)
    return mean
  })
}

/** A list with one picture of each class and the model's prediction for it. */
export class Predictions {
  readonly #items: readonly HTMLLIElement[]
  readonly #images: tf.Tensor4D

  constructor(list: HTMLElement) {
    const { images, labels } = batch(0, classes.length)
    labels.dispose()
    this.#images = images
    this.#items = classes.map((_, picture) => {
      const item = document.createElement('li')
      item.append(pictureCanvas(pixelsOf(picture)), classes[dataset.labels[picture]], ' ')
      item.append(document.createElement('span'))
      list.append(item)
      return item
    })
  }

  async update(model: tf.LayersModel): Promise<void> {
    const best = tf.tidy(() => tf.argMax(model.predict(this.#images) as tf.Tensor, 1)) // One output.
    const predictions = await best.data()
    best.dispose()
    for (const [picture, item] of this.#items.entries()) {
      const isRight = predictions[picture] === dataset.labels[picture]
      item.classList.toggle('right', isRight)
      const span = item.querySelector('span')
      if (span) span.textContent = isRight ? '✓' : `→ ${classes[predictions[picture]]}`
    }
  }
}

function pictureCanvas(pixels: Uint8Array): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = size
  const image = new ImageData(size, size)
  for (let i = 0; i < size * size; i++) {
    image.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i)
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0)
  return canvas
}
