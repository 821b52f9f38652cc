/** The colors of the charts, read from the custom properties of the style sheet. */
export interface Palette {
  readonly surface: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly border: string
  /** The color of the lowest and of the highest contour level of a landscape. */
  readonly terrainLow: string
  readonly terrainHigh: string
  readonly contour: string
  /** One color per optimizer, in order: the color-blind-safe palette of Okabe and Ito. */
  readonly series: readonly string[]
  /** The color of starts and settings that reach no global minimum. */
  readonly unreached: string
  readonly font: string
}

/** Reads the palette of the current theme. */
export function readPalette(root: HTMLElement): Palette {
  const style = getComputedStyle(root)
  const property = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    surface: property('surface'),
    text: property('text'),
    muted: property('muted'),
    line: property('line'),
    border: property('border'),
    terrainLow: property('terrain-low'),
    terrainHigh: property('terrain-high'),
    contour: property('contour'),
    series: [0, 1, 2, 3, 4, 5].map((i) => property(`series-${i}`)),
    unreached: property('unreached'),
    font: style.fontFamily,
  }
}

/** Red, green and blue, each in [0, 255]. */
export type Rgb = readonly [number, number, number]

/** Parses a color such as #0072b2. */
export function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** Interpolates between two colors: `a` at share 0, `b` at share 1. */
export const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** Formats a color for CSS. */
export const toCss = ([r, g, b]: Rgb): string =>
  `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`
