/** Red, green and blue, each from 0 to 255. */
export type Rgb = readonly [number, number, number]

/** Reads a colour such as #0072b2. */
export function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** A colour on the way from one to another. */
export const mixed = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** A colour as style sheets write it. */
export const cssOf = ([r, g, b]: Rgb): string =>
  `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`
