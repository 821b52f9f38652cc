import { type Ink, inkOf } from './ink.ts'

/** What a drawing is done on: a context in CSS pixels, and its size. */
export interface Surface {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** Device pixels to a CSS pixel. */
  readonly scale: number
  readonly ink: Ink
}

/** A canvas that keeps its sharpness, its colours and its drawing when the page around it changes. */
export class Sheet {
  readonly canvas: HTMLCanvasElement
  readonly #paint: (surface: Surface) => void
  readonly #context: CanvasRenderingContext2D
  #ink: Ink | undefined
  #waiting = false
  #size: { readonly width: number; readonly height: number } = { width: 0, height: 0 }

  constructor(canvas: HTMLCanvasElement, paint: (surface: Surface) => void) {
    const context = canvas.getContext('2d')
    if (!context) throw new Error('sheet: the canvas has no 2D context')
    this.canvas = canvas
    this.#paint = paint
    this.#context = context
    // Asking the canvas for its size at every drawing would lay out the page at every drawing.
    new ResizeObserver(([{ contentRect }]) => {
      this.#size = contentRect
      this.redraw()
    }).observe(canvas)
    document.addEventListener('themechange', () => {
      this.#ink = undefined
      this.redraw()
    })
  }

  /** Draws at the next frame, once. */
  redraw(): void {
    if (this.#waiting) return
    this.#waiting = true
    requestAnimationFrame(() => {
      this.#waiting = false
      this.draw()
    })
  }

  /** Draws now. */
  draw(): void {
    const { width, height } = this.#size
    if (width === 0 || height === 0) return
    const scale = window.devicePixelRatio
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w
      this.canvas.height = h
    }
    this.#ink ??= inkOf(document.documentElement)
    this.#context.setTransform(scale, 0, 0, scale, 0, 0)
    this.#context.clearRect(0, 0, width, height)
    this.#paint({ context: this.#context, width, height, scale, ink: this.#ink })
  }
}
