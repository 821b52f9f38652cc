import type { Random } from './random.ts'

/** The share of the second colour at a point, from 0 to 1. */
export type Texture = (x: number, y: number, z: number) => number

/** Creates a texture of random frequency and phase. */
export type TextureFactory = (random: Random) => Texture

const { atan2, asin, floor, max, min, PI, sin, sqrt } = Math

/** A squareWave wave with edges a few pixels wide. */
const squareWave = (wave: number): number => min(max(0.5 + 3 * wave, 0), 1)

const plain: TextureFactory = () => () => 0

/** Bands across y. */
const stripes: TextureFactory = (random) => {
  const frequency = random.uniform(7, 10)
  const phase = random.uniform(0, 2 * PI)
  return (_x, y) => squareWave(sin(frequency * y + phase))
}

/** A chessboard in three dimensions. */
const checks: TextureFactory = (random) => {
  const frequency = random.uniform(6, 9)
  const phase = random.uniform(0, 2 * PI)
  const wave = (t: number) => sin(frequency * t + phase)
  return (x, y, z) => squareWave(2 * wave(x) * wave(y) * wave(z))
}

/** A chessboard of longitudes and latitudes. */
export const globe: TextureFactory = (random) => {
  const meridians = floor(random.uniform(3, 5))
  const parallels = random.uniform(3, 5)
  return (x, y, z) =>
    squareWave(
      1.5 *
        sin(meridians * atan2(z, x)) *
        sin(parallels * asin(min(max(y / radius(x, y, z), -1), 1))),
    )
}

const radius = (x: number, y: number, z: number): number => sqrt(x * x + y * y + z * z) || 1

/** Spots of one size at jittered lattice points. */
const spots: TextureFactory = (random) => {
  const frequency = random.uniform(2.4, 3.4)
  const seed = floor(random.uniform(0, 1e6))
  return (x, y, z) => {
    const [u, v, w] = [x * frequency + 50, y * frequency + 50, z * frequency + 50]
    const [i, j, k] = [floor(u), floor(v), floor(w)]
    const [a, b, c] = [hash(i, j, k, seed), hash(j, k, i, seed), hash(k, i, j, seed)]
    const d = radius(u - i - 0.35 - 0.3 * a, v - j - 0.35 - 0.3 * b, w - k - 0.35 - 0.3 * c)
    return squareWave(1.2 * (0.36 - d))
  }
}

/** Veins: a sine wave distorted by smooth noise. */
const marble: TextureFactory = (random) => {
  const frequency = random.uniform(3, 6)
  const seed = floor(random.uniform(0, 1e6))
  return (x, y, z) =>
    0.5 + 0.5 * sin(frequency * (x + y - z) + 5 * smoothNoise(2.5 * x, 2.5 * y, 2.5 * z, seed))
}

/** Value noise: random values at integer points, interpolated smoothly. */
function smoothNoise(x: number, y: number, z: number, seed: number): number {
  const [i, j, k] = [floor(x), floor(y), floor(z)]
  const [u, v, w] = [smoothstep(x - i), smoothstep(y - j), smoothstep(z - k)]
  const row = (b: number, c: number): number => {
    const left = hash(i, j + b, k + c, seed)
    return left + u * (hash(i + 1, j + b, k + c, seed) - left)
  }
  const plane = (c: number): number => {
    const near = row(0, c)
    return near + v * (row(1, c) - near)
  }
  const front = plane(0)
  return front + w * (plane(1) - front)
}

const smoothstep = (t: number): number => t * t * (3 - 2 * t)

/** A pseudorandom number in [0, 1) for a lattice point. */
function hash(i: number, j: number, k: number, seed: number): number {
  let h = Math.imul(i, 374761393) ^ Math.imul(j, 668265263) ^ Math.imul(k, 2147483647) ^ seed
  h = Math.imul(h ^ (h >>> 13), 1274126177)
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296
}

/** The textures that every class may have. */
export const allTextures: readonly TextureFactory[] = [plain, stripes, checks, spots, marble]
