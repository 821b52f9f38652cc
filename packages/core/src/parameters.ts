import { describe } from './ranges.ts'
import type { Transforms } from './transforms/index.ts'

/** A parameter: the array to train, with its shape where the array itself does not have one. */
export interface Parameter<T, Name extends string = string> {
  readonly name: Name
  readonly value: T
  /** Row-major; unknown if omitted. */
  readonly shape?: readonly number[] | undefined
}

/** Values by name: an object, a Map, or any other iterable of pairs. */
export type Named<V, Name extends string = string> =
  | { readonly [K in Name]?: V }
  | Iterable<readonly [name: Name, value: V]>

/**
 * The names and values, in their order.
 *
 * @param what - the plural noun that the error message uses: `gradients`.
 * @throws TypeError if `named` is neither an object nor an iterable of pairs.
 */
export function entriesOf<V, Name extends string = string>(
  owner: string,
  what: string,
  named: Named<V, Name>,
): readonly (readonly [name: Name, value: V])[] {
  const refuse = (actual: string): never => {
    throw new TypeError(`${owner}: ${what} must be an object or a list of pairs, but are ${actual}`)
  }
  if (typeof named !== 'object' || named === null) return refuse(describe(named))
  // A property that is present has a value, as far as `V` allows undefined.
  if (!(Symbol.iterator in named)) return Object.entries(named) as [Name, V][]
  const entries = [...named]
  return entries.every(Array.isArray) ? entries : refuse(`a list of ${typeof entries[0]}s`)
}

/**
 * Copies of new parameters, with the same arrays. Checks that their names are unique, and that each shape
 * is known if gradients are centralized.
 *
 * @param isTaken - whether a name is that of another parameter.
 * @throws TypeError naming the first parameter that fails.
 */
export function checkedParameters<T>(
  rule: { readonly name: string },
  parameters: readonly Parameter<T>[],
  { centralize }: Transforms,
  isTaken: (name: string) => boolean,
): readonly Parameter<T>[] {
  const refuse = (reason: string): never => {
    throw new TypeError(`${rule.name}: ${reason}`)
  }
  if (!Array.isArray(parameters)) {
    refuse(`parameters must be a list of { name, value }, but are ${describe(parameters)}`)
  }
  const names = new Set<string>()
  return parameters.map((parameter: Parameter<T> | undefined) => {
    const { name, value, shape } = Object(parameter) as Parameter<T> // Or an object without these.
    if (typeof name !== 'string') {
      return refuse(`a parameter must be { name, value }, but is ${describe(parameter)}`)
    }
    if (names.has(name) || isTaken(name)) refuse(`two parameters are called ${name}`)
    if (centralize && !shape) {
      refuse(`to centralize its gradient, the shape of ${name} is needed`)
    }
    names.add(name)
    return { name, value, ...(shape && { shape: [...shape] }) }
  })
}
