import { gaussianNoise } from './gaussian-noise.ts'
import type { Landscape } from './landscape.ts'

/** A bent valley, the steeper the larger b. */
const rosenbrock = (name: string, b: number): Landscape => ({
  name,
  equation: `(1−x)² + ${b === 1 ? '' : b}(y−x²)²`,
  value: ([x, y]) => (1 - x) ** 2 + b * (y - x * x) ** 2,
  gradient: ([x, y]) => [-2 * (1 - x) - 4 * b * x * (y - x * x), 2 * b * (y - x * x)],
  minimum: [1, 1],
})

const quadratic: Landscape = {
  name: 'quadratic',
  equation: 'x² + y²',
  value: ([x, y]) => x * x + y * y,
  gradient: ([x, y]) => [2 * x, 2 * y],
  minimum: [0, 0],
}

const beale: Landscape = {
  name: 'beale',
  equation: '(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²',
  value: ([x, y]) => bealeTerms(x, y).reduce((sum, term) => sum + term ** 2, 0),
  gradient([x, y]) {
    const [a, b, c] = bealeTerms(x, y)
    return [
      2 * a * (y - 1) + 2 * b * (y ** 2 - 1) + 2 * c * (y ** 3 - 1),
      2 * a * x + 4 * b * x * y + 6 * c * x * y ** 2,
    ]
  },
  minimum: [3, 0.5],
}

const bealeTerms = (x: number, y: number): readonly [number, number, number] => [
  1.5 - x + x * y,
  2.25 - x + x * y ** 2,
  2.625 - x + x * y ** 3,
]

const rastrigin: Landscape = {
  name: 'rastrigin',
  equation: '20 + x² − 10cos(2πx) + y² − 10cos(2πy)',
  value: (point) => point.reduce((sum, x) => sum + 10 + x * x - 10 * Math.cos(2 * Math.PI * x), 0),
  gradient: (point) => point.map((x) => 2 * x + 20 * Math.PI * Math.sin(2 * Math.PI * x)),
  minimum: [0, 0],
}

const himmelblau: Landscape = {
  name: 'himmelblau',
  equation: '(x² + y − 11)² + (x + y² − 7)²',
  value: ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  gradient([x, y]) {
    const [a, b] = [x * x + y - 11, x + y * y - 7]
    return [4 * a * x + 2 * b, 2 * a + 4 * b * y]
  },
  minimum: [3, 2],
  others: [
    [-2.805118086952745, 3.131312518250573],
    [-3.779310253377747, -3.283185991286169],
    [3.584428340330492, -1.848126526964404],
  ],
}

/** Flat at its saddle in (0, 0), with a minimum on either side of it. */
const saddle: Landscape = {
  name: 'saddle',
  equation: '½x² − ½y² + ¼y⁴',
  value: ([x, y]) => (x * x - y * y) / 2 + y ** 4 / 4,
  gradient: ([x, y]) => [x, y ** 3 - y],
  minimum: [0, 1],
  others: [[0, -1]],
}

/** A straight valley, steep across and flat along, whose gradients are noisy. */
const ravine: Landscape = {
  name: 'ravine',
  equation: 'x²/10 + 2y², gradients with noise',
  value: ([x, y]) => (x * x) / 10 + 2 * y * y,
  gradient: ([x, y]) => [x / 5, 4 * y],
  minimum: [0, 0],
  noise: gaussianNoise(2, 1),
}

/** Functions of two variables that optimizers are usually tried on. */
export const classics: readonly Landscape[] = [
  rosenbrock('rosenbrock1', 1),
  rosenbrock('rosenbrock100', 100),
  quadratic,
  beale,
  rastrigin,
  himmelblau,
  saddle,
  ravine,
]
