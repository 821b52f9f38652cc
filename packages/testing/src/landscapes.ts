import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A function to minimize, with its gradient. */
export interface Landscape {
  readonly name: string
  /** The equation as text. */
  readonly equation: string
  value(point: readonly number[]): number
  /** The gradient; at a kink the slope on the left. */
  gradient(point: readonly number[]): readonly number[]
  /** A global minimum. */
  readonly minimum: readonly number[]
  /** The other global minima, if there are several. */
  readonly others?: readonly (readonly number[])[]
  /** The noise to add to the gradient at step t, from 1; the same at every call. */
  noise?(t: number): readonly number[]
}

/** Returns all global minima of a landscape. */
export const minimaOf = ({ minimum, others = [] }: Landscape): readonly (readonly number[])[] => [
  minimum,
  ...others,
]

/** A piecewise function of one variable; each piece holds up to and including `until`. */
function piecewise(
  name: string,
  equation: string,
  minimum: number,
  pieces: readonly {
    readonly until: number
    readonly f: (x: number) => number
    readonly slope: (x: number) => number
  }[],
): Landscape {
  const at = (x: number) => pieces.find(({ until }) => x <= until) ?? pieces[pieces.length - 1]
  return {
    name,
    equation,
    value: ([x]) => at(x).f(x),
    gradient: ([x]) => [at(x).slope(x)],
    minimum: [minimum],
  }
}

/** Two bowls side by side, the left one deeper. */
const f1: Landscape = piecewise('F1', '(x+0.3)² for x ≤ 0, (x−0.2)² + 0.05 beyond', -0.3, [
  { until: 0, f: (x) => (x + 0.3) ** 2, slope: (x) => 2 * (x + 0.3) },
  { until: Number.POSITIVE_INFINITY, f: (x) => (x - 0.2) ** 2 + 0.05, slope: (x) => 2 * (x - 0.2) },
])

/** A cliff, then waves. */
const f2: Landscape = piecewise(
  'F2',
  '−40x − 35.15 for x ≤ −0.9, x³ + x·sin(8x) + 0.85 beyond',
  -0.6431,
  [
    { until: -0.9, f: (x) => -40 * x - 35.15, slope: () => -40 },
    {
      until: Number.POSITIVE_INFINITY,
      f: (x) => x ** 3 + x * Math.sin(8 * x) + 0.85,
      slope: (x) => 3 * x ** 2 + Math.sin(8 * x) + 8 * x * Math.cos(8 * x),
    },
  ],
)

/** A valley with a funnel at its bottom and a ridge on either side. */
const f3: Landscape = piecewise(
  'F3',
  'x² for |x| > 0.5, 0.75 − |x| for |x| > 0.4, ⅞|x| within',
  0,
  [
    { until: -0.5, f: (x) => x * x, slope: (x) => 2 * x },
    { until: -0.4, f: (x) => 0.75 + x, slope: () => 1 },
    { until: 0, f: (x) => (-7 * x) / 8, slope: () => -7 / 8 },
    { until: 0.4, f: (x) => (7 * x) / 8, slope: () => 7 / 8 },
    { until: 0.5, f: (x) => 0.75 - x, slope: () => -1 },
    { until: Number.POSITIVE_INFINITY, f: (x) => x * x, slope: (x) => 2 * x },
  ],
)

/** The functions of the diffGrad paper, arXiv:1909.11015. */
export const paper: readonly Landscape[] = [f1, f2, f3]

/** The noise repeats after this number of steps. */
const noisePeriod = 4096

/** Returns independent normal numbers for each step, of mean 0 and the given standard deviation. */
function gaussianNoise(axes: number, deviation: number): (t: number) => readonly number[] {
  const generator = xoroshiro128plus(1909)
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)))
    return deviation * radius * Math.cos(2 * Math.PI * uniformFloat64(generator))
  }
  const steps = Array.from({ length: noisePeriod }, () => Array.from({ length: axes }, normal))
  return (t) => steps[t % noisePeriod]
}

/** A curved valley, steeper for larger b. */
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

/** A saddle in (0, 0) with a minimum on either side. */
const saddle: Landscape = {
  name: 'saddle',
  equation: '½x² − ½y² + ¼y⁴',
  value: ([x, y]) => (x * x - y * y) / 2 + y ** 4 / 4,
  gradient: ([x, y]) => [x, y ** 3 - y],
  minimum: [0, 1],
  others: [[0, -1]],
}

/** A straight valley, steep across and flat along, with noisy gradients. */
const ravine: Landscape = {
  name: 'ravine',
  equation: 'x²/10 + 2y², gradients with noise',
  value: ([x, y]) => (x * x) / 10 + 2 * y * y,
  gradient: ([x, y]) => [x / 5, 4 * y],
  minimum: [0, 0],
  noise: gaussianNoise(2, 1),
}

/** Functions of two variables on which optimizers are commonly compared. */
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
