import { type Colour, mixed } from './colour.ts'
import { march, type View } from './march.ts'
import type { Random } from './random.ts'
import type { Flat, Scene } from './scene.ts'

const { abs, max, min, round, sqrt } = Math

const clamped = (share: number): number => min(max(share, 0), 1)

const black: Colour = [0, 0, 0]

/** Paints a scene as RGB bytes, row after row: size × size × 3. */
export function render(scene: Scene, size: number, random: Random, pixels: Uint8Array): void {
  const view = march(scene, size)
  const pixel = 2 / size
  for (let row = 0, i = 0; row < size; row++) {
    const y = 1 - (row + 0.5) * pixel
    for (let column = 0; column < size; column++, i++) {
      const x = (column + 0.5) * pixel - 1
      // A ray that misses by less than a pixel grazes the edge.
      const cover = clamped(1 - (view.distance[i] * scene.scale) / pixel)
      let seen = cover < 1 ? groundAt(scene, x, y, pixel) : black
      const shadow = cover < 1 ? shadowAt(scene, view, size, row, column) : 0
      if (shadow > 0) seen = mixed(seen, black, shadow)
      if (cover > 0) seen = mixed(seen, litAt(scene, x, y, view.depth[i], pixel), cover)
      for (const flat of scene.before) seen = coveredBy(flat, seen, x, y, pixel)
      for (let channel = 0; channel < 3; channel++) {
        const level = 255 * seen[channel] + scene.noise * random.noise()
        pixels[3 * i + channel] = min(max(round(level), 0), 255)
      }
    }
  }
}

function groundAt({ ground, pattern, behind }: Scene, x: number, y: number, pixel: number): Colour {
  let seen = mixed(ground[0], ground[1], clamped(pattern(x, y, 0)))
  for (const flat of behind) seen = coveredBy(flat, seen, x, y, pixel)
  return seen
}

/** The body's soft shadow on the ground: its outline, moved away from the light. */
function shadowAt(
  { light, scale }: Scene,
  { distance }: View,
  size: number,
  row: number,
  column: number,
): number {
  const shift = 0.16 * scale * size
  const [r, c] = [round(row - shift * light[1]), round(column + shift * light[0])]
  if (r < 0 || r >= size || c < 0 || c >= size) return 0
  return 0.5 * clamped(1 - 5 * distance[r * size + c]) ** 2
}

/** The body's colour under Lambert's law, with Blinn's highlight. */
function litAt(scene: Scene, x: number, y: number, z: number, pixel: number): Colour {
  const { solid, rotation: r, light, scale } = scene
  const [u, v] = [(x - scene.x) / scale, (y - scene.y) / scale]
  const p = [
    r[0] * u + r[1] * v + r[2] * z,
    r[3] * u + r[4] * v + r[5] * z,
    r[6] * u + r[7] * v + r[8] * z,
  ]
  const h = (0.4 * pixel) / scale
  const slope = [
    solid(p[0] + h, p[1], p[2]) - solid(p[0] - h, p[1], p[2]),
    solid(p[0], p[1] + h, p[2]) - solid(p[0], p[1] - h, p[2]),
    solid(p[0], p[1], p[2] + h) - solid(p[0], p[1], p[2] - h),
  ]
  const normal = [
    r[0] * slope[0] + r[3] * slope[1] + r[6] * slope[2],
    r[1] * slope[0] + r[4] * slope[1] + r[7] * slope[2],
    r[2] * slope[0] + r[5] * slope[1] + r[8] * slope[2],
  ]
  const steepness = sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) || 1
  const towards = (a: number, b: number, c: number): number =>
    max(0, (normal[0] * a + normal[1] * b + normal[2] * c) / steepness)
  const diffuse = scene.ambient + (1.15 - scene.ambient) * towards(light[0], light[1], light[2])
  const half = sqrt(2 + 2 * light[2])
  const shine = scene.gloss * towards(light[0] / half, light[1] / half, (light[2] + 1) / half) ** 24
  const [red, green, blue] = mixed(
    scene.colours[0],
    scene.colours[1],
    scene.texture(p[0], p[1], p[2]),
  )
  return [red * diffuse + shine, green * diffuse + shine, blue * diffuse + shine]
}

/** What is seen where a flat thing may lie over it. */
function coveredBy(flat: Flat, seen: Colour, x: number, y: number, pixel: number): Colour {
  const [dx, dy] = [x - flat.x, y - flat.y]
  const along = dx * flat.along[0] + dy * flat.along[1]
  const across = dy * flat.along[0] - dx * flat.along[1]
  const beyond = max(0, abs(along) - flat.halfLength)
  const distance = sqrt(beyond * beyond + across * across) - flat.radius
  return distance < pixel ? mixed(seen, flat.colour, clamped(0.5 - distance / pixel)) : seen
}
