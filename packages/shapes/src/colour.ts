import type { Random } from './random.ts'

/** Red, green and blue from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number]

/** From hue, saturation and lightness, all from 0 to 1. */
export function colour(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number): number => {
    const k = (offset + 12 * hue) % 12
    return lightness - saturation * Math.min(lightness, 1 - lightness) * ramp(k)
  }
  return [channel(0), channel(8), channel(4)]
}

const ramp = (k: number): number => Math.max(-1, Math.min(k - 3, 9 - k, 1))

export const mixed = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** What a picture is painted with: the body in two tones that differ, on a ground that differs from both. */
export interface Palette {
  readonly body: readonly [Colour, Colour]
  readonly ground: readonly [Colour, Colour]
}

export function paletteFrom(random: Random): Palette {
  const hue = random.uniform(0, 1)
  const light = random.chance(0.5)
  const tone = (hue: number, low: number, high: number) =>
    colour((hue + 1) % 1, random.uniform(0.35, 0.95), random.uniform(low, high))
  const near = () => hue + random.uniform(-0.06, 0.06)
  const far = () => hue + random.uniform(0.15, 0.85)
  return {
    body: light
      ? [tone(near(), 0.6, 0.78), tone(far(), 0.2, 0.4)]
      : [tone(near(), 0.38, 0.5), tone(far(), 0.72, 0.92)],
    ground: light
      ? [tone(far(), 0.1, 0.3), tone(far(), 0.2, 0.42)]
      : [tone(far(), 0.62, 0.8), tone(far(), 0.75, 0.92)],
  }
}
