import type { Random } from './random.ts'

/** Red, green and blue from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number]

/** From hue, saturation and lightness, all from 0 to 1. */
function colour(hue: number, saturation: number, lightness: number): Colour {
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

/** What a picture is painted with: a light body on dark ground, or a dark one on light ground. */
export interface Palette {
  readonly body: readonly [Colour, Colour]
  readonly ground: readonly [Colour, Colour]
  /** As light as the ground. */
  clutter(): Colour
}

export function paletteFrom(random: Random): Palette {
  const hue = random.uniform(0, 1)
  const near = () => hue + random.uniform(-0.08, 0.08)
  const far = () => hue + random.uniform(0.15, 0.85)
  const tone = (hue: number, low: number, high: number) =>
    colour((hue + 1) % 1, random.uniform(0.4, 0.95), random.uniform(low, high))
  const [body, ground]: readonly Lightnesses[] = random.chance(0.5)
    ? [lightBody, darkGround]
    : [darkBody, lightGround]
  return {
    body: [tone(near(), ...body[0]), tone(far(), ...body[1])],
    ground: [tone(far(), ...ground[0]), tone(far(), ...ground[1])],
    clutter: () => tone(far(), ground[0][0], ground[1][1]),
  }
}

/** From and to, of either tone. */
type Lightnesses = readonly [readonly [number, number], readonly [number, number]]

const lightBody: Lightnesses = [
  [0.55, 0.68],
  [0.75, 0.9],
]
const darkBody: Lightnesses = [
  [0.36, 0.48],
  [0.18, 0.28],
]
const darkGround: Lightnesses = [
  [0.06, 0.2],
  [0.2, 0.4],
]
const lightGround: Lightnesses = [
  [0.6, 0.78],
  [0.78, 0.94],
]
