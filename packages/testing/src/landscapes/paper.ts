import type { Landscape } from './landscape.ts'

/** A function of one variable, put together from pieces: each holds up to and including `until`. */
function pieces(
  name: string,
  equation: string,
  minimum: number,
  parts: readonly {
    readonly until: number
    readonly f: (x: number) => number
    readonly slope: (x: number) => number
  }[],
): Landscape {
  const at = (x: number) => parts.find(({ until }) => x <= until) ?? parts[parts.length - 1]
  return {
    name,
    equation,
    value: ([x]) => at(x).f(x),
    gradient: ([x]) => [at(x).slope(x)],
    minimum: [minimum],
  }
}

const rest = Number.POSITIVE_INFINITY

/** Two bowls side by side, the left one deeper. */
const f1: Landscape = pieces('F1', '(x+0.3)² for x ≤ 0, (x−0.2)² + 0.05 beyond', -0.3, [
  { until: 0, f: (x) => (x + 0.3) ** 2, slope: (x) => 2 * (x + 0.3) },
  { until: rest, f: (x) => (x - 0.2) ** 2 + 0.05, slope: (x) => 2 * (x - 0.2) },
])

/** A cliff, then waves. */
const f2: Landscape = pieces(
  'F2',
  '−40x − 35.15 for x ≤ −0.9, x³ + x·sin(8x) + 0.85 beyond',
  -0.6431,
  [
    { until: -0.9, f: (x) => -40 * x - 35.15, slope: () => -40 },
    {
      until: rest,
      f: (x) => x ** 3 + x * Math.sin(8 * x) + 0.85,
      slope: (x) => 3 * x ** 2 + Math.sin(8 * x) + 8 * x * Math.cos(8 * x),
    },
  ],
)

/** A valley with a funnel at its bottom and a rim on either side. */
const f3: Landscape = pieces('F3', 'x² for |x| > 0.5, 0.75 − |x| for |x| > 0.4, ⅞|x| within', 0, [
  { until: -0.5, f: (x) => x * x, slope: (x) => 2 * x },
  { until: -0.4, f: (x) => 0.75 + x, slope: () => 1 },
  { until: 0, f: (x) => (-7 * x) / 8, slope: () => -7 / 8 },
  { until: 0.4, f: (x) => (7 * x) / 8, slope: () => 7 / 8 },
  { until: 0.5, f: (x) => 0.75 - x, slope: () => -1 },
  { until: rest, f: (x) => x * x, slope: (x) => 2 * x },
])

/** The functions of the diffGrad paper: arXiv:1909.11015. */
export const paper: readonly Landscape[] = [f1, f2, f3]
