import { complaint } from '../optimizers/complaint.ts'
import { field, isEntrant, type Options, type OptionValue } from '../optimizers/field.ts'
import { type Racer, racer, withOption } from '../optimizers/racer.ts'

/** Writes a racer: `adam,learningRate:0.05,lossScale:100`. */
export function writeRacer({ name, options, lossScale }: Racer): string {
  const changed = Object.entries(options).map(([option, value]) => `${option}:${value}`)
  return [name, ...changed, ...(lossScale === 1 ? [] : [`lossScale:${lossScale}`])].join(',')
}

/** Reads what `writeRacer` wrote. What is unknown or out of range is left at its default. */
export function readRacer(text: string): Racer | undefined {
  const [name, ...changes] = text.split(',')
  if (!isEntrant(name)) return undefined
  const defaults: Options = field[name].defaults
  let read = racer(name)
  const wished = new Map<string, OptionValue>()
  for (const change of changes) {
    const [option, word = ''] = change.split(':')
    if (option === 'lossScale') {
      const scale = Number(word)
      if (scale > 0 && Number.isFinite(scale)) read = { ...read, lossScale: scale }
    } else if (Object.hasOwn(defaults, option)) wished.set(option, parsed(word, defaults[option]))
  }
  return withTaken(read, [...wished])
}

/** The racer with those options that the library takes, in whatever order: one may need another. */
function withTaken(racer: Racer, wished: readonly (readonly [string, OptionValue])[]): Racer {
  for (const [i, [option, value]] of wished.entries()) {
    const changed = withOption(racer, option, value)
    if (complaint(changed) === undefined) return withTaken(changed, wished.toSpliced(i, 1))
  }
  return racer
}

function parsed(word: string, like: OptionValue): OptionValue {
  if (typeof like === 'number') return Number(word)
  return typeof like === 'boolean' ? word === 'true' : word
}

/** Reads all racers of an address, up to a number. */
export const readRacers = (query: URLSearchParams, most: number): readonly Racer[] =>
  query
    .getAll('o')
    .map(readRacer)
    .filter((racer) => racer !== undefined)
    .slice(0, most)
