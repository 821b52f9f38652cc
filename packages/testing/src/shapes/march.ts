import type { Scene } from './scene.ts'

/** How the rays of a picture pass the body, one a pixel, in the units of the body. */
export interface View {
  /** The closest that the ray comes to the body: 0 where it hits, infinite if far away. */
  readonly distance: Float32Array
  /** Where along the ray that is: z, towards the viewer. */
  readonly depth: Float32Array
}

const mostSteps = 48

/** How far around the origin distances are wanted: the body ends at 1, its shadow's edge beyond. */
const reach = 1.15

/** Sphere tracing: a ray may always go on by the distance to the body. */
export function march({ solid, rotation: r, x, y, scale }: Scene, size: number): View {
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
      for (let step = 0; step < mostSteps && z > far; step++) {
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
