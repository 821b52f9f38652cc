import { classics, type Landscape, paper } from '@diffgrad/testing/landscapes'

/** The range that is shown along one axis. */
export type Interval = readonly [from: number, to: number]

/** A function to minimize, and how it is shown. */
export interface LandscapeView {
  readonly landscape: Landscape
  readonly title: string
  /** One interval per variable. */
  readonly window: readonly Interval[]
  /** The default start. */
  readonly start: readonly number[]
  readonly description: string
  /** The heights of a curve are drawn to this power; below 1, a cliff leaves room for the rest. */
  readonly heightExponent: number
}

const landscapes = [...paper, ...classics]

function view(
  name: string,
  title: string,
  window: readonly Interval[],
  start: readonly number[],
  description: string,
  heightExponent = 1,
): LandscapeView {
  const landscape = landscapes.find((landscape) => landscape.name === name)
  if (!landscape) throw new TypeError(`there is no landscape ${name}`)
  return { landscape, title, window, start, description, heightExponent }
}

/** The landscapes of the playground, by their names in URLs. */
export const landscapeViews: Readonly<Record<string, LandscapeView>> = {
  f1: view('F1', 'F1', [[-1.15, 0.75]], [-1], 'Two bowls. The left one is deeper.'),
  f2: view(
    'F2',
    'F2',
    [[-1.04, 1.04]],
    [-1],
    'A cliff, then waves. The deepest is at −0.643.',
    0.6,
  ),
  f3: view('F3', 'F3', [[-1.15, 1.15]], [-1], 'A funnel inside a bowl, with a kink at its bottom.'),
  rosenbrock: view(
    'rosenbrock100',
    'Rosenbrock',
    [
      [-2, 2],
      [-1, 3],
    ],
    [-1.5, 2],
    'A bent valley: easy to find, slow to follow.',
  ),
  beale: view(
    'beale',
    'Beale',
    [
      [-4.5, 4.5],
      [-4.5, 4.5],
    ],
    [1, 1.5],
    'Plateaus, and walls at the corners.',
  ),
  himmelblau: view(
    'himmelblau',
    'Himmelblau',
    [
      [-5.5, 5.5],
      [-5.5, 5.5],
    ],
    [0, -4],
    'Four minima, all equally deep.',
  ),
  rastrigin: view(
    'rastrigin',
    'Rastrigin',
    [
      [-4.5, 4.5],
      [-4.5, 4.5],
    ],
    [-3.3, 2.6],
    'A bowl full of dents. Most paths end in one.',
  ),
  saddle: view(
    'saddle',
    'Saddle',
    [
      [-2, 2],
      [-2, 2],
    ],
    [-1.6, 0.001],
    'Flat at the middle; downhill is to either side.',
  ),
  ravine: view(
    'ravine',
    'Noisy ravine',
    [
      [-5, 5],
      [-3, 3],
    ],
    [-4, 2],
    'Steep across, flat along, and every gradient is off by a random amount.',
  ),
}

/** The titles of the landscapes, by their names in URLs. */
export const landscapeTitles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(landscapeViews).map(([name, { title }]) => [name, title]),
)

/** The value at a point minus the value at the global minimum; never below 0. */
export const lossAboveMinimum = ({ value, minimum }: Landscape, point: readonly number[]): number =>
  Math.max(value(point) - value(minimum), 0)
