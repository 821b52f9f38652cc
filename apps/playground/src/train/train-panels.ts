import { CanvasLayer } from '../canvas/canvas-layer.ts'
import type { OptimizerConfig } from '../optimizers/config.ts'
import { hasFriction } from '../optimizers/friction.ts'
import { swatch } from '../ui/chart.ts'
import { element, setText } from '../ui/element.ts'
import { edge } from './pictures.ts'
import type { OptimizerProgress } from './progress.ts'
import { drawFrictionHistogram } from './train-charts.ts'

/** The histogram of the friction ξ over all weights, at the last step of one optimizer. */
export class FrictionPanel {
  readonly node: HTMLElement
  readonly #label = element('h2', {})
  readonly #hint = element('p', { class: 'hint' })
  readonly #canvas = element('canvas', { class: 'friction', role: 'img' })
  readonly #layer: CanvasLayer
  #progress: OptimizerProgress | undefined

  constructor(index: number) {
    this.#layer = new CanvasLayer(this.#canvas, (target) => {
      const histogram = this.#progress?.friction
      if (histogram) drawFrictionHistogram(target, histogram, target.palette.series[index])
    })
    this.node = element(
      'section',
      { class: 'friction-panel' },
      element('header', {}, swatch(index), this.#label),
      this.#canvas,
      this.#hint,
    )
  }

  show(config: OptimizerConfig, label: string, progress: OptimizerProgress): void {
    this.#progress = progress
    setText(this.#label, `ξ of ${label}`)
    const text = frictionText(config, progress.friction?.mean)
    setText(this.#hint, text)
    this.#canvas.hidden = progress.friction === undefined
    this.#canvas.setAttribute('aria-label', text)
    this.#layer.draw()
  }
}

function frictionText(config: OptimizerConfig, mean: number | undefined): string {
  if (!hasFriction(config)) return 'No friction here: as if every ξ were 1.'
  return mean === undefined
    ? 'How often each friction occurs among the weights, once training begins.'
    : `mean ξ ${mean.toFixed(5)}, over all weights, at the last step`
}

/** A row of sample pictures. */
export class PictureRow {
  readonly node: HTMLElement = element('div', {
    class: 'pictures',
    role: 'img',
    'aria-label': 'Some of the pictures: shapes with textures, lit from a side',
  })

  /** @param pixels - RGB bytes · pictures × edge × edge × 3. */
  show(pixels: Uint8Array): void {
    const bytes = edge * edge * 3
    const pictures = Array.from({ length: pixels.length / bytes }, (_, n) =>
      pictureCanvas(pixels.subarray(n * bytes, (n + 1) * bytes)),
    )
    this.node.replaceChildren(...pictures)
  }
}

function pictureCanvas(pixels: Uint8Array): HTMLCanvasElement {
  const canvas = element('canvas', { width: edge, height: edge })
  const context = canvas.getContext('2d')
  if (!context) throw new Error('PictureRow: the canvas has no 2D context')
  const image = context.createImageData(edge, edge)
  for (let p = 0; p < edge * edge; p++) {
    image.data.set(pixels.subarray(3 * p, 3 * p + 3), 4 * p)
    image.data[4 * p + 3] = 255
  }
  context.putImageData(image, 0, 0)
  return canvas
}
