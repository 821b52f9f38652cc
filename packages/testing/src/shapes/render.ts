import type { Random } from './random.ts'
import { type Colour, type FlatShape, mix, type Scene } from './scene.ts'

const { abs, max, min, round, sqrt } = Math

const clamp01 = (share: number): number => min(max(share, 0), 1)

const black: Colour = [0, 0, 0]

/** Renders a scene into `pixels` as RGB bytes, row-major: size × size × 3. */
export function render(scene: Scene, size: number, random: Random, pixels: Uint8Array): void {
  const rays = traceRays(scene, size)
  const pixel = 2 / size
  for (let row = 0, i = 0; row < size; row++) {
    const y = 1 - (row + 0.5) * pixel
    for (let column = 0; column < size; column++, i++) {
      const x = (column + 0.5) * pixel - 1
      // Antialiasing: a ray that misses by less than a pixel covers the pixel in part.
      const cover = clamp01(1 - (rays.distance[i] * scene.scale) / pixel)
      let colour = cover < 1 ? backgroundAt(scene, x, y, pixel) : black
      const shadow = cover < 1 ? shadowAt(scene, rays, size, row, column) : 0
      if (shadow > 0) colour = mix(colour, black, shadow)
      if (cover > 0) colour = mix(colour, shadeBody(scene, x, y, rays.depth[i], pixel), cover)
      for (const flat of scene.occluders) colour = paintOver(flat, colour, x, y, pixel)
      for (let channel = 0; channel < 3; channel++) {
        const level = 255 * colour[channel] + scene.noise * random.noise()
        pixels[3 * i + channel] = min(max(round(level), 0), 255)
      }
    }
  }
}

function backgroundAt(
  { ground, pattern, clutter }: Scene,
  x: number,
  y: number,
  pixel: number,
): Colour {
  let colour = mix(ground[0], ground[1], clamp01(pattern(x, y, 0)))
  for (const flat of clutter) colour = paintOver(flat, colour, x, y, pixel)
  return colour
}

/** The darkness of the soft shadow on the ground: the outline of the body, moved away from the light. */
function shadowAt(
  { light, scale }: Scene,
  { distance }: RayMap,
  size: number,
  row: number,
  column: number,
): number {
  const shift = 0.16 * scale * size
  const [r, c] = [round(row - shift * light[1]), round(column + shift * light[0])]
  if (r < 0 || r >= size || c < 0 || c >= size) return 0
  return 0.5 * clamp01(1 - 5 * distance[r * size + c]) ** 2
}

/** The colour of the body: Lambert's diffuse term and Blinn's highlight. */
function shadeBody(scene: Scene, x: number, y: number, z: number, pixel: number): Colour {
  const { solid, rotation: r, light, scale } = scene
  const [u, v] = [(x - scene.x) / scale, (y - scene.y) / scale]
  const p = [
    r[0] * u + r[1] * v + r[2] * z,
    r[3] * u + r[4] * v + r[5] * z,
    r[6] * u + r[7] * v + r[8] * z,
  ]
  const h = (0.4 * pixel) / scale
  const gradient = [
    solid(p[0] + h, p[1], p[2]) - solid(p[0] - h, p[1], p[2]),
    solid(p[0], p[1] + h, p[2]) - solid(p[0], p[1] - h, p[2]),
    solid(p[0], p[1], p[2] + h) - solid(p[0], p[1], p[2] - h),
  ]
  const normal = [
    r[0] * gradient[0] + r[3] * gradient[1] + r[6] * gradient[2],
    r[1] * gradient[0] + r[4] * gradient[1] + r[7] * gradient[2],
    r[2] * gradient[0] + r[5] * gradient[1] + r[8] * gradient[2],
  ]
  const length = sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) || 1
  const towards = (a: number, b: number, c: number): number =>
    max(0, (normal[0] * a + normal[1] * b + normal[2] * c) / length)
  const diffuse = scene.ambient + (1.15 - scene.ambient) * towards(light[0], light[1], light[2])
  const half = sqrt(2 + 2 * light[2])
  const shine = scene.gloss * towards(light[0] / half, light[1] / half, (light[2] + 1) / half) ** 24
  const [red, green, blue] = mix(
    scene.colours[0],
    scene.colours[1],
    scene.texture(p[0], p[1], p[2]),
  )
  return [red * diffuse + shine, green * diffuse + shine, blue * diffuse + shine]
}

/** Paints a flat shape over a colour, with an antialiased edge. */
function paintOver(flat: FlatShape, colour: Colour, x: number, y: number, pixel: number): Colour {
  const [dx, dy] = [x - flat.x, y - flat.y]
  const along = dx * flat.along[0] + dy * flat.along[1]
  const across = dy * flat.along[0] - dx * flat.along[1]
  const beyond = max(0, abs(along) - flat.halfLength)
  const distance = sqrt(beyond * beyond + across * across) - flat.radius
  return distance < pixel ? mix(colour, flat.colour, clamp01(0.5 - distance / pixel)) : colour
}

/** How close the ray of each pixel passes the body, in the units of the body. */
interface RayMap {
  /** The least distance from the ray to the body: 0 where it hits, infinite if far away. */
  readonly distance: Float32Array
  /** The z at which the ray is closest; z points towards the viewer. */
  readonly depth: Float32Array
}

const maxSteps = 48

/** Rays are traced within this distance of the origin: the body ends at 1, the edge of its shadow beyond. */
const reach = 1.15

/** Sphere tracing: a ray advances by the distance to the body. */
function traceRays({ solid, rotation: r, x, y, scale }: Scene, size: number): RayMap {
  const distance = new Float32Array(size * size)
  const depth = new Float32Array(size * size)
  const pixel = 2 / (size * scale)
  const touch = 0.1 * pixel
  for (let row = 0, i = 0; row < size; row++) {
    const v = (1 - (row + 0.5) * (2 / size) - y) / scale
    for (let column = 0; column < size; column++, i++) {
      const u = ((column + 0.5) * (2 / size) - 1 - x) / scale
      const inside = reach * reach - u * u - v * v
      const far = -Math.sqrt(Math.max(0, inside))
      let closest = Number.POSITIVE_INFINITY
      let z = -far
      for (let step = 0; step < maxSteps && z > far; step++) {
        const d = solid(
          r[0] * u + r[1] * v + r[2] * z,
          r[3] * u + r[4] * v + r[5] * z,
          r[6] * u + r[7] * v + r[8] * z,
        )
        if (d < closest) {
          closest = d
          depth[i] = z
        }
        if (d < touch) break
        z -= d
      }
      distance[i] = closest < touch ? 0 : closest
    }
  }
  return { distance, depth }
}
