import { type Config, optionName } from '../config/config.ts'
import type { OptionChoices, OptionValue, ValueRange } from '../config/options.ts'
import { settingIssue } from '../config/schema.ts'
import { permutation, type Random, randomStream } from '../data/loader/augment.ts'
import { Failure } from '../failure.ts'

/** What a sweep searches: the values of each option that has several. */
export type SearchSpace = Readonly<Record<string, OptionChoices>>

/** A point of a search space: a value for each of its options. */
export type OptionValues = Readonly<Record<string, OptionValue>>

const isRange = (choices: OptionChoices): choices is ValueRange => !Array.isArray(choices)

/** Such as `learning-rate 0.001, optimizer adam`. */
export const describeValues = (values: OptionValues): string =>
  Object.entries(values)
    .map(([key, value]) => `${optionName(key).slice(2)} ${value}`)
    .join(', ')

/** The values of an option, as on the command line. */
export const describeChoices = (choices: OptionChoices): string =>
  isRange(choices)
    ? `${choices.from}..${choices.to}${choices.isLog ? ':log' : ''}`
    : choices.join(',')

/**
 * Separates options with several values from those with one.
 *
 * @param options - of `train`, by key.
 * @param searched - the keys whose values are choices.
 */
export function splitOptions(
  options: object,
  searched: readonly string[],
): { readonly settings: Partial<Config>; readonly space: SearchSpace } {
  const settings: [string, unknown][] = []
  const space: [string, OptionChoices][] = []
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (!searched.includes(key) || typeof value !== 'object') settings.push([key, value])
    else if (Array.isArray(value) && value.length === 1) settings.push([key, value[0]])
    else space.push([key, value])
  }
  return { settings: Object.fromEntries(settings), space: Object.fromEntries(space) }
}

/**
 * All combinations of values. The last option varies fastest.
 *
 * @throws {Failure} If an option has a range.
 */
export function gridOf(space: SearchSpace): readonly OptionValues[] {
  return Object.entries(space).reduce<readonly OptionValues[]>(
    (points, [key, choices]) => {
      if (isRange(choices))
        throw new Failure(
          `${optionName(key)} ${describeChoices(choices)}: a range needs --random <count>; without it, list the values, such as ${choices.from},${choices.to}`,
        )
      return points.flatMap((point) => choices.map((value) => ({ ...point, [key]: value })))
    },
    [{}],
  )
}

/** How often a point that was drawn before is drawn again. */
const attempts = 1000

/**
 * Draws different points from a search space: from lists without replacement, from ranges uniformly, on a
 * linear or a logarithmic scale. More points have the same first ones if an option has a range.
 *
 * @throws {Failure} If there are not so many, or a range ends outside of those of its option.
 */
export function drawPoints(
  space: SearchSpace,
  count: number,
  seed: number,
): readonly OptionValues[] {
  const random = randomStream(seed)
  if (!Object.values(space).some(isRange)) {
    const grid = gridOf(space)
    requirePoints(count, grid.length)
    return [...permutation(grid.length, random)].slice(0, count).map((i) => grid[i])
  }
  const draws = Object.entries(space).map(
    ([key, choices]) =>
      [
        key,
        isRange(choices)
          ? rangeDraw(key, choices)
          : (random: Random) => choices[Math.floor(random() * choices.length)],
      ] as const,
  )
  const points = new Map<string, OptionValues>()
  for (let attempt = 0; points.size < count && attempt < attempts + count; attempt++) {
    const point = Object.fromEntries(draws.map(([key, draw]) => [key, draw(random)]))
    points.set(JSON.stringify(point), point)
  }
  requirePoints(count, points.size)
  return [...points.values()]
}

function requirePoints(count: number, found: number): void {
  if (found < count)
    throw new Failure(
      `--random must be at most ${found}, the number of different combinations, but is ${count}`,
    )
}

/** Draws values of a range: whole numbers if the option takes no others. */
function rangeDraw(key: string, range: ValueRange): (random: Random) => number {
  const { from, to, isLog } = range
  for (const end of [from, to]) {
    const issue = settingIssue(key, end)
    if (issue !== undefined)
      throw new Failure(`${optionName(key)} ${describeChoices(range)}: an end ${issue}`)
  }
  const at = (share: number): number =>
    isLog ? from * (to / from) ** share : from + (to - from) * share
  // Neither the golden section of a range nor of its logarithm is a whole number by chance.
  const isWhole = settingIssue(key, at((Math.sqrt(5) - 1) / 2)) !== undefined
  if (!isWhole) return (random) => Math.min(Math.max(Number(at(random()).toPrecision(6)), from), to)
  return (random) => {
    for (;;) {
      // Both ends have the same share as the other numbers.
      const [low, high] = [from - 0.5, to + 0.5]
      const share = random()
      const value = Math.round(isLog ? low * (high / low) ** share : low + (high - low) * share)
      if (value >= from && value <= to && settingIssue(key, value) === undefined) return value
    }
  }
}
