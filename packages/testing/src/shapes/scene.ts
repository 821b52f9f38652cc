import { type Colour, paletteFrom } from './colour.ts'
import type { Kind, Pose } from './kinds.ts'
import type { Random } from './random.ts'
import type { Solid } from './solids.ts'
import * as texture from './textures.ts'

/** A flat disc or bar. Lengths are in halves of the picture's edge, from its middle. */
export interface Flat {
  readonly x: number
  readonly y: number
  /** Unit vector along its length. */
  readonly along: readonly [number, number]
  readonly halfLength: number
  /** Half of its width, its ends being round. */
  readonly radius: number
  readonly colour: Colour
}

/** All that is drawn by lot for a picture. */
export interface Scene {
  readonly solid: Solid
  /** From the picture's coordinates to the body's: rows of a rotation. */
  readonly rotation: readonly number[]
  readonly x: number
  readonly y: number
  readonly scale: number
  readonly texture: texture.Texture
  readonly colours: readonly [Colour, Colour]
  /** Unit vector towards the light: x right, y up, z to the viewer. */
  readonly light: readonly [number, number, number]
  readonly ambient: number
  readonly gloss: number
  readonly ground: readonly [Colour, Colour]
  readonly pattern: texture.Texture
  readonly behind: readonly Flat[]
  readonly before: readonly Flat[]
  /** Deviation of the noise, in levels of 255. */
  readonly noise: number
}

const { cos, PI, sin } = Math

export function sceneFrom(kind: Kind, random: Random): Scene {
  const { body, ground, clutter } = paletteFrom(random)
  const scale = random.uniform(0.62, 0.9)
  const room = 1.1 - scale
  const [x, y] = [random.uniform(-room, room), random.uniform(-room, room)]
  return {
    solid: kind.solid(random.uniform(0, 1)),
    rotation: rotationFrom(kind.pose, random),
    x,
    y,
    scale,
    texture: random.pick(kind.textures)(random),
    colours: body,
    light: lightFrom(random),
    ambient: random.uniform(0.3, 0.5),
    gloss: random.uniform(0, 0.7),
    ground,
    pattern: patternFrom(random),
    behind: Array.from({ length: Math.floor(random.uniform(0, 5)) }, () =>
      clutterFrom(clutter(), random),
    ),
    before: random.chance(0.2) ? [occluderFrom({ x, y, scale }, clutter(), random)] : [],
    noise: random.uniform(1, 7),
  }
}

function rotationFrom({ spin, tilt, roll }: Pose, random: Random): readonly number[] {
  const [a, b, c] = [
    random.uniform(-spin, spin),
    -random.uniform(...tilt),
    random.uniform(-roll, roll),
  ]
  const [sa, ca, sb, cb, sc, cc] = [sin(a), cos(a), sin(b), cos(b), sin(c), cos(c)]
  // The picture is rolled back first, then tilted and spun back.
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

/** From the viewer's side, mostly from above. */
function lightFrom(random: Random): readonly [number, number, number] {
  const [azimuth, height] = [random.uniform(-0.35, PI + 0.35), random.uniform(0.5, 1.1)]
  return [cos(azimuth) * cos(height), sin(azimuth) * cos(height), sin(height)]
}

/** What the ground is painted with, seen at z = 0. */
function patternFrom(random: Random): texture.Texture {
  const painted = random.pick([
    texture.plain,
    texture.stripes,
    texture.checks,
    texture.spots,
    texture.marble,
  ])(random)
  const [c, s] = directionFrom(random)
  const strength = random.uniform(0.3, 1)
  const slope = random.uniform(0, 0.5)
  return (x, y) => {
    const [u, v] = [x * c + y * s, y * c - x * s]
    return 0.3 + slope * u + strength * (painted(u, v, 0.17) - 0.5)
  }
}

const clutterFrom = (colour: Colour, random: Random): Flat => ({
  x: random.uniform(-1, 1),
  y: random.uniform(-1, 1),
  along: directionFrom(random),
  halfLength: random.pick([0, random.uniform(0.1, 0.8)]),
  radius: random.uniform(0.06, 0.25),
  colour,
})

/** Hides a part of the body, beginning at its rim. */
function occluderFrom(
  { x, y, scale }: Pick<Scene, 'x' | 'y' | 'scale'>,
  colour: Colour,
  random: Random,
): Flat {
  const [dx, dy] = directionFrom(random)
  const distance = scale * random.uniform(0.55, 0.8)
  return {
    x: x + distance * dx,
    y: y + distance * dy,
    along: directionFrom(random),
    halfLength: random.pick([0, 0.25, 0.6]),
    radius: random.uniform(0.08, 0.16),
    colour,
  }
}

function directionFrom(random: Random): readonly [number, number] {
  const angle = random.uniform(0, 2 * PI)
  return [cos(angle), sin(angle)]
}
