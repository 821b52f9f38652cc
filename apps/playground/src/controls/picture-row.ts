import { element } from '../dom/element.ts'
import { edge } from '../train/pictures.ts'

/** Some of the pictures that the networks learn from. */
export class PictureRow {
  readonly node: HTMLElement = element('div', {
    class: 'pictures',
    role: 'img',
    'aria-label': 'Some of the pictures: shapes with textures, lit from a side',
  })

  /** @param pixels - RGB bytes, one picture after the other. */
  show(pixels: Uint8Array): void {
    const bytes = edge * edge * 3
    const count = pixels.length / bytes
    const pictures = Array.from({ length: count }, (_, n) =>
      picture(pixels.subarray(n * bytes, (n + 1) * bytes)),
    )
    this.node.replaceChildren(...pictures)
  }
}

function picture(pixels: Uint8Array): HTMLCanvasElement {
  const canvas = element('canvas', { width: edge, height: edge })
  const context = canvas.getContext('2d')
  if (!context) throw new Error('picture: the canvas has no 2D context')
  const image = context.createImageData(edge, edge)
  for (let p = 0; p < edge * edge; p++) {
    image.data.set(pixels.subarray(3 * p, 3 * p + 3), 4 * p)
    image.data[4 * p + 3] = 255
  }
  context.putImageData(image, 0, 0)
  return canvas
}
