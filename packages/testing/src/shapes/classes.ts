import { allTextures, globe, type TextureFactory } from './textures.ts'

/**
 * A signed distance function: a lower bound of the distance from a point to the surface of a body,
 * negative inside. Bodies lie within distance 1 of the origin and are viewed along z.
 *
 * The formulas are Inigo Quilez's: https://iquilezles.org/articles/distfunctions/
 */
export type Solid = (x: number, y: number, z: number) => number

const { abs, cos, max, min, PI, sin, sqrt } = Math

const length2 = (x: number, y: number): number => sqrt(x * x + y * y)
const length3 = (x: number, y: number, z: number): number => sqrt(x * x + y * y + z * z)
const clamp = (x: number, low: number, high: number): number => min(max(x, low), high)

/** Creates a body; the proportion from 0 to 1 varies its thickness. */
type SolidFactory = (proportion: number) => Solid

const sphere: SolidFactory = () => (x, y, z) => length3(x, y, z) - 0.8

/** A ball in a flat ring around the y axis. */
const planet: SolidFactory = (proportion) => {
  const ball = 0.48 + 0.08 * proportion
  return (x, y, z) => {
    const ring = max(abs(length2(x, z) - 0.83) - 0.13, abs(y) - 0.025)
    return min(length3(x, y, z) - ball, ring)
  }
}

/** A ring around the z axis. */
const torus: SolidFactory = (proportion) => {
  const tube = 0.18 + 0.14 * proportion
  return (x, y, z) => length2(length2(x, y) - (0.97 - tube), z) - tube
}

/** The twelve edges of a cube. */
const cubeFrame: SolidFactory = (proportion) => {
  const half = 0.56
  const bar = 0.06 + 0.03 * proportion
  /** A bar along the first axis, in the corner of the others. */
  const edge = (a: number, b: number, c: number): number => {
    const [u, v] = [abs(b + bar) - bar, abs(c + bar) - bar]
    return length3(max(a, 0), max(u, 0), max(v, 0)) + min(max(a, u, v), 0)
  }
  return (x, y, z) => {
    const a = abs(x) - half
    const b = abs(y) - half
    const c = abs(z) - half
    return min(edge(a, b, c), edge(b, a, c), edge(c, a, b))
  }
}

/** The tip points along y. */
const cone: SolidFactory = (proportion) => {
  const radius = 0.5 + 0.2 * proportion
  const [tip, base] = [0.85, -0.65]
  const slant = length2(radius, tip - base)
  return (x, y, z) => {
    const side = (length2(x, z) * (tip - base) + (y - tip) * radius) / slant
    return max(side, base - y) - 0.02
  }
}

/** Extrudes a 2-D distance function along z and rounds the edges. */
const extruded = (figure: (x: number, y: number) => number, half: number, round: number): Solid => {
  return (x, y, z) => {
    const d = figure(x, y) + round
    const h = abs(z) - half + round
    return length2(max(d, 0), max(h, 0)) + min(max(d, h), 0) - round
  }
}

/** Five points. */
const star: SolidFactory = (proportion) => {
  const outer = 0.97
  const inner = outer * (0.38 + 0.1 * proportion)
  // The edge from a point of the star to the notch beside it, in the sector from 0 to π/5.
  const [ex, ey] = [inner * cos(PI / 5) - outer, inner * sin(PI / 5)]
  const edge = length2(ex, ey)
  return extruded(
    (x, y) => {
      const angle = abs(((Math.atan2(x, y) + 2 * PI) % (0.4 * PI)) - 0.2 * PI)
      const r = length2(x, y)
      const px = r * cos(0.2 * PI - angle) - outer
      const py = r * sin(0.2 * PI - angle)
      const t = clamp((px * ex + py * ey) / (edge * edge), 0, 1)
      const side = ex * py - ey * px > 0 ? -1 : 1
      return side * length2(px - ex * t, py - ey * t)
    },
    0.14 + 0.1 * proportion,
    0.05,
  )
}

const heart: SolidFactory = (proportion) => {
  const scale = 1.45
  return extruded(
    (u, v) => {
      const x = abs(u) / scale
      const y = v / scale + 0.53
      if (x + y > 1) return scale * (length2(x - 0.25, y - 0.75) - sqrt(2) / 4)
      const m = 0.5 * max(x + y, 0)
      const d = min(length2(x, y - 1), length2(x - m, y - m))
      return (x > y ? 1 : -1) * scale * d
    },
    0.18 + 0.14 * proportion,
    0.12,
  )
}

/** The opening is along y, the handle at +x. */
const mug: SolidFactory = (proportion) => {
  const radius = 0.4 + 0.07 * proportion
  const half = 0.62
  const centre = -0.26
  return (x, y, z) => {
    const r = length2(x - centre, z)
    const outside = max(r - radius, abs(y) - half)
    const hollow = max(r - radius + 0.09, -half + 0.12 - y)
    const handle = length2(length2(x - centre - radius, y) - 0.36, z) - 0.1
    return max(min(outside, handle), -hollow)
  }
}

/** Three crossed bars with a ball at every end. */
const jack: SolidFactory = (proportion) => {
  const bar = 0.1 + 0.06 * proportion
  const ball = bar + 0.1
  const reach = 0.97 - ball
  return (x, y, z) => {
    const a = abs(x)
    const b = abs(y)
    const c = abs(z)
    const bars = min(
      length3(max(a - reach, 0), b, c),
      length3(a, max(b - reach, 0), c),
      length3(a, b, max(c - reach, 0)),
    )
    const balls = min(length3(a - reach, b, c), length3(a, b - reach, c), length3(a, b, c - reach))
    return min(bars - bar, balls - ball)
  }
}

/** Lies along x. */
const dumbbell: SolidFactory = (proportion) => {
  const ball = 0.34 + 0.08 * proportion
  const reach = 0.97 - ball
  return (x, y, z) => {
    const a = abs(x)
    const bar = length3(max(a - reach, 0), y, z) - 0.12
    return min(bar, length3(a - reach, y, z) - ball)
  }
}

/** The ranges of the random rotation, in radians. */
export interface Pose {
  /** Around the y axis of the body: from −spin to spin. */
  readonly spin: number
  /** Towards the viewer: from low to high. */
  readonly tilt: readonly [low: number, high: number]
  /** In the image plane: from −roll to roll. */
  readonly roll: number
}

/** A class of the data set. */
export interface ShapeClass {
  readonly name: string
  readonly solid: SolidFactory
  readonly pose: Pose
  readonly textures: readonly TextureFactory[]
}

/** Any angle. */
const any = Math.PI

/** The classes of the data set. All but one may have any texture, so only the form tells them apart. */
export const shapeClasses: readonly ShapeClass[] = [
  {
    name: 'torus',
    solid: torus,
    pose: { spin: 0, tilt: [-0.9, 0.9], roll: any },
    textures: allTextures,
  },
  {
    name: 'cube frame',
    solid: cubeFrame,
    pose: { spin: any, tilt: [0.4, 0.7], roll: 0.6 },
    textures: allTextures,
  },
  {
    name: 'cone',
    solid: cone,
    pose: { spin: any, tilt: [-0.1, 0.5], roll: 0.6 },
    textures: allTextures,
  },
  {
    name: 'star',
    solid: star,
    pose: { spin: 0.5, tilt: [-0.5, 0.5], roll: any },
    textures: allTextures,
  },
  {
    name: 'heart',
    solid: heart,
    pose: { spin: 0.5, tilt: [-0.4, 0.4], roll: 0.5 },
    textures: allTextures,
  },
  {
    name: 'mug',
    solid: mug,
    pose: { spin: 0.5, tilt: [0.4, 0.8], roll: 0.3 },
    textures: allTextures,
  },
  {
    name: 'jack',
    solid: jack,
    pose: { spin: any, tilt: [0.4, 0.8], roll: 0.5 },
    textures: allTextures,
  },
  {
    name: 'dumbbell',
    solid: dumbbell,
    pose: { spin: 0.5, tilt: [-any, any], roll: any },
    textures: allTextures,
  },
  {
    name: 'planet',
    solid: planet,
    pose: { spin: any, tilt: [0.25, 0.7], roll: 0.7 },
    textures: allTextures,
  },
  {
    name: 'checkered sphere',
    solid: sphere,
    pose: { spin: any, tilt: [-any, any], roll: any },
    textures: [globe],
  },
]
