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

/** Functions of two variables that optimizers are usually tried on. */
export const classics: readonly Landscape[] = [
  rosenbrock('rosenbrock1', 1),
  rosenbrock('rosenbrock100', 100),
  quadratic,
  beale,
  rastrigin,
]
