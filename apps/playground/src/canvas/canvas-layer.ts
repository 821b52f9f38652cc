import { type Palette, readPalette } from './palette.ts'

/** What drawing functions draw on. */
export interface DrawTarget {
  /** Scaled so that one unit is one CSS pixel. */
  readonly context: CanvasRenderingContext2D
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
  /** Device pixels per CSS pixel. */
  readonly scale: number
  readonly palette: Palette
}

/** A canvas element that repaints when its size, the device pixel ratio or the theme changes. */
export class CanvasLayer {
  readonly #canvas: HTMLCanvasElement
  readonly #paint: (target: DrawTarget) => void
  readonly #context: CanvasRenderingContext2D
  #palette: Palette | undefined
  #frameRequested = false
  #size: { readonly width: number; readonly height: number } = { width: 0, height: 0 }

  /** @param paint - draws the whole content; the canvas is cleared before each call. */
  constructor(canvas: HTMLCanvasElement, paint: (target: DrawTarget) => void) {
    const context = canvas.getContext('2d')
    if (!context) throw new Error('CanvasLayer: the canvas has no 2D context')
    this.#canvas = canvas
    this.#paint = paint
    this.#context = context
    // Reading the size from the canvas in every `draw` would force a layout each time.
    new ResizeObserver(([{ contentRect }]) => {
      this.#size = contentRect
      this.#requestDraw()
    }).observe(canvas)
    document.addEventListener('themechange', () => {
      this.#palette = undefined
      this.#requestDraw()
    })
  }

  /** Draws now. */
  draw(): void {
    const { width, height } = this.#size
    if (width === 0 || height === 0) return
    const scale = window.devicePixelRatio
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      this.#canvas.width = w
      this.#canvas.height = h
    }
    this.#palette ??= readPalette(document.documentElement)
    this.#context.setTransform(scale, 0, 0, scale, 0, 0)
    this.#context.clearRect(0, 0, width, height)
    this.#paint({ context: this.#context, width, height, scale, palette: this.#palette })
  }

  /** Draws at the next animation frame, once for any number of calls. */
  #requestDraw(): void {
    if (this.#frameRequested) return
    this.#frameRequested = true
    requestAnimationFrame(() => {
      this.#frameRequested = false
      this.draw()
    })
  }
}
