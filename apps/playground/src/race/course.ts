import { classics, type Landscape, paper } from '@diffgrad/testing/landscapes'

/** From and to, along one axis. */
export type Interval = readonly [from: number, to: number]

/** A landscape, and the part of it that is shown. */
export interface Course {
  readonly landscape: Landscape
  readonly title: string
  /** One interval an axis. */
  readonly window: readonly Interval[]
  readonly start: readonly number[]
  /** What is worth knowing before the start. */
  readonly about: string
  /** Heights of a curve are drawn to this power, so that a cliff leaves room for the rest: usually 1. */
  readonly bend: number
}

const all = [...paper, ...classics]

function course(
  name: string,
  title: string,
  window: readonly Interval[],
  start: readonly number[],
  about: string,
  bend = 1,
): Course {
  const landscape = all.find((landscape) => landscape.name === name)
  if (!landscape) throw new TypeError(`course: no landscape is called ${name}`)
  return { landscape, title, window, start, about, bend }
}

/** Where optimizers can race, by the names that addresses use. */
export const courses: Readonly<Record<string, Course>> = {
  f1: course('F1', 'F1', [[-1.15, 0.75]], [-1], 'Two bowls. The left one is deeper.'),
  f2: course(
    'F2',
    'F2',
    [[-1.04, 1.04]],
    [-1],
    'A cliff, then waves. The deepest is at −0.643.',
    0.6,
  ),
  f3: course(
    'F3',
    'F3',
    [[-1.15, 1.15]],
    [-1],
    'A funnel inside a bowl, with a kink at its bottom.',
  ),
  rosenbrock: course(
    'rosenbrock100',
    'Rosenbrock',
    [
      [-2, 2],
      [-1, 3],
    ],
    [-1.5, 2],
    'A bent valley: easy to find, slow to follow.',
  ),
  beale: course(
    'beale',
    'Beale',
    [
      [-4.5, 4.5],
      [-4.5, 4.5],
    ],
    [1, 1.5],
    'Plateaus, and walls at the corners.',
  ),
  himmelblau: course(
    'himmelblau',
    'Himmelblau',
    [
      [-5.5, 5.5],
      [-5.5, 5.5],
    ],
    [0, -4],
    'Four minima, all equally deep.',
  ),
  rastrigin: course(
    'rastrigin',
    'Rastrigin',
    [
      [-4.5, 4.5],
      [-4.5, 4.5],
    ],
    [-3.3, 2.6],
    'A bowl full of dents. Most paths end in one.',
  ),
  saddle: course(
    'saddle',
    'Saddle',
    [
      [-2, 2],
      [-2, 2],
    ],
    [-1.6, 0.001],
    'Flat at the middle; downhill is to either side.',
  ),
  ravine: course(
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

/** What people call the courses. */
export const courseTitles: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(courses).map(([name, { title }]) => [name, title]),
)

/** How far above the lowest point of the landscape a point is, never below 0. */
export const excess = ({ value, minimum }: Landscape, point: readonly number[]): number =>
  Math.max(value(point) - value(minimum), 0)
