/** The gradient of a function of one variable. */
type Derivative = (x: number) => number

/** The slopes of F1, F2 and F3 of the diffGrad paper (arXiv:1909.11015, section 4). */
const slopes: Readonly<Record<string, Derivative>> = {
  F1: (x) => (x <= 0 ? 2 * (x + 0.3) : 2 * (x - 0.2)),
  F2: (x) => (x <= -0.9 ? -40 : 3 * x ** 2 + Math.sin(8 * x) + 8 * x * Math.cos(8 * x)),
  F3: (x) => {
    if (x <= -0.5 || x > 0.5) return 2 * x
    if (x <= -0.4) return 1
    if (x <= 0) return -7 / 8
    return x <= 0.4 ? 7 / 8 : -1
  },
}

/** The gradient of a function of two variables. */
type Gradient = (x: number, y: number) => readonly [number, number]

const rosenbrock =
  (b: number): Gradient =>
  (x, y) => [-2 * (1 - x) - 4 * b * x * (y - x * x), 2 * b * (y - x * x)]

const gradients: Readonly<Record<string, Gradient>> = {
  /** (1 − x)² + (y − x²)² */
  rosenbrock1: rosenbrock(1),
  /** (1 − x)² + 100(y − x²)² */
  rosenbrock100: rosenbrock(100),
  /** x² + y² */
  quadratic: (x, y) => [2 * x, 2 * y],
  /** (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² */
  beale(x, y) {
    const [a, b, c] = [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3]
    return [
      2 * a * (y - 1) + 2 * b * (y ** 2 - 1) + 2 * c * (y ** 3 - 1),
      2 * a * x + 4 * b * x * y + 6 * c * x * y ** 2,
    ]
  },
  /** 20 + x² − 10cos(2πx) + y² − 10cos(2πy), its gradient cut to a norm of 1. */
  rastrigin(x, y) {
    const dx = 2 * x + 20 * Math.PI * Math.sin(2 * Math.PI * x)
    const dy = 2 * y + 20 * Math.PI * Math.sin(2 * Math.PI * y)
    const factor = Math.min(1 / Math.hypot(dx, dy), 1)
    return [factor * dx, factor * dy]
  },
}

/** The gradient of a named function at a point. */
export function gradientAt(name: string, point: readonly number[]): readonly number[] {
  const [x, y] = point
  const derivative = slopes[name]
  if (derivative) return [derivative(x)]
  const gradient = gradients[name]
  if (!gradient) throw new RangeError(`golden: there is no function ${name}`)
  return gradient(x, y)
}
