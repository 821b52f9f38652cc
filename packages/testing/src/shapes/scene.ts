import type { Pose, ShapeClass, Solid } from './classes.ts'
import type { Random } from './random.ts'
import { allTextures, type Texture } from './textures.ts'

/** Red, green and blue, each from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number]

/** Converts hue, saturation and lightness, all from 0 to 1. */
function fromHsl(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number): number => {
    const k = (offset + 12 * hue) % 12
    return lightness - saturation * Math.min(lightness, 1 - lightness) * ramp(k)
  }
  return [channel(0), channel(8), channel(4)]
}

const ramp = (k: number): number => Math.max(-1, Math.min(k - 3, 9 - k, 1))

/** Interpolates linearly from `a` to `b`. */
export const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** The colours of a picture: a light body on dark ground or a dark body on light ground. */
interface Palette {
  readonly body: readonly [Colour, Colour]
  readonly ground: readonly [Colour, Colour]
  /** Draws a colour as light as the ground. */
  clutterColour(): Colour
}

function randomPalette(random: Random): Palette {
  const hue = random.uniform(0, 1)
  const near = () => hue + random.uniform(-0.08, 0.08)
  const far = () => hue + random.uniform(0.15, 0.85)
  const tone = (hue: number, low: number, high: number) =>
    fromHsl((hue + 1) % 1, random.uniform(0.4, 0.95), random.uniform(low, high))
  const [body, ground]: readonly Lightnesses[] = random.chance(0.5)
    ? [lightBody, darkGround]
    : [darkBody, lightGround]
  return {
    body: [tone(near(), ...body[0]), tone(far(), ...body[1])],
    ground: [tone(far(), ...ground[0]), tone(far(), ...ground[1])],
    clutterColour: () => tone(far(), ground[0][0], ground[1][1]),
  }
}

/** The ranges of lightness of the two colours. */
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

/** A flat disc or bar parallel to the image plane. Lengths are in half edges of the picture, from its centre. */
export interface FlatShape {
  readonly x: number
  readonly y: number
  /** Unit vector along its length. */
  readonly along: readonly [number, number]
  readonly halfLength: number
  /** Half of its width; its ends are round. */
  readonly radius: number
  readonly colour: Colour
}

/** The random content of a picture. */
export interface Scene {
  readonly solid: Solid
  /** The rotation matrix from picture to body coordinates, row-major. */
  readonly rotation: readonly number[]
  readonly x: number
  readonly y: number
  readonly scale: number
  readonly texture: Texture
  readonly colours: readonly [Colour, Colour]
  /** Unit vector towards the light: x right, y up, z towards the viewer. */
  readonly light: readonly [number, number, number]
  readonly ambient: number
  readonly gloss: number
  readonly ground: readonly [Colour, Colour]
  readonly pattern: Texture
  readonly clutter: readonly FlatShape[]
  readonly occluders: readonly FlatShape[]
  /** Standard deviation of the pixel noise, in levels of 255. */
  readonly noise: number
}

const { cos, PI, sin } = Math

export function randomScene(shapeClass: ShapeClass, random: Random): Scene {
  const { body, ground, clutterColour } = randomPalette(random)
  const scale = random.uniform(0.62, 0.9)
  const room = 1.1 - scale
  const [x, y] = [random.uniform(-room, room), random.uniform(-room, room)]
  return {
    solid: shapeClass.solid(random.uniform(0, 1)),
    rotation: randomRotation(shapeClass.pose, random),
    x,
    y,
    scale,
    texture: random.pick(shapeClass.textures)(random),
    colours: body,
    light: randomLight(random),
    ambient: random.uniform(0.3, 0.5),
    gloss: random.uniform(0, 0.7),
    ground,
    pattern: randomPattern(random),
    clutter: Array.from({ length: Math.floor(random.uniform(0, 5)) }, () =>
      randomClutter(clutterColour(), random),
    ),
    occluders: random.chance(0.2) ? [randomOccluder({ x, y, scale }, clutterColour(), random)] : [],
    noise: random.uniform(1, 7),
  }
}

function randomRotation({ spin, tilt, roll }: Pose, random: Random): readonly number[] {
  const [a, b, c] = [
    random.uniform(-spin, spin),
    -random.uniform(...tilt),
    random.uniform(-roll, roll),
  ]
  const [sa, ca, sb, cb, sc, cc] = [sin(a), cos(a), sin(b), cos(b), sin(c), cos(c)]
  // The inverse of the rotation of the body: first roll, then tilt, then spin.
  return [
    ca * cc + sa * sb * sc,
    -ca * sc + sa * sb * cc,
    sa * cb,
    cb * sc,
    cb * cc,
    -sb,
    -sa * cc + ca * sb * sc,
    sa * sc + ca * sb * cc,
    ca * cb,
  ]
}

/** The light comes from the viewer's side, mostly from above. */
function randomLight(random: Random): readonly [number, number, number] {
  const [azimuth, height] = [random.uniform(-0.35, PI + 0.35), random.uniform(0.5, 1.1)]
  return [cos(azimuth) * cos(height), sin(azimuth) * cos(height), sin(height)]
}

/** The pattern of the background: a texture at z = 0.17, rotated, plus a gradient. */
function randomPattern(random: Random): Texture {
  const texture = random.pick(allTextures)(random)
  const [c, s] = randomDirection(random)
  const strength = random.uniform(0.3, 1)
  const slope = random.uniform(0, 0.5)
  return (x, y) => {
    const [u, v] = [x * c + y * s, y * c - x * s]
    return 0.3 + slope * u + strength * (texture(u, v, 0.17) - 0.5)
  }
}

const randomClutter = (colour: Colour, random: Random): FlatShape => ({
  x: random.uniform(-1, 1),
  y: random.uniform(-1, 1),
  along: randomDirection(random),
  halfLength: random.pick([0, random.uniform(0.1, 0.8)]),
  radius: random.uniform(0.06, 0.25),
  colour,
})

/** Hides a part of the body near its edge. */
function randomOccluder(
  { x, y, scale }: Pick<Scene, 'x' | 'y' | 'scale'>,
  colour: Colour,
  random: Random,
): FlatShape {
  const [dx, dy] = randomDirection(random)
  const distance = scale * random.uniform(0.55, 0.8)
  return {
    x: x + distance * dx,
    y: y + distance * dy,
    along: randomDirection(random),
    halfLength: random.pick([0, 0.25, 0.6]),
    radius: random.uniform(0.08, 0.16),
    colour,
  }
}

function randomDirection(random: Random): readonly [number, number] {
  const angle = random.uniform(0, 2 * PI)
  return [cos(angle), sin(angle)]
}
