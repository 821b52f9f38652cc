import type { Transforms } from './transforms/transforms.ts'

/** A parameter: the array to train, with its shape where the array itself does not have one. */
export interface Parameter<T> {
  readonly name: string
  readonly value: T
  /** Row-major; unknown if omitted. */
  readonly shape?: readonly number[]
}

/** Values by name: an object, a Map, or any other iterable of pairs. */
export type Named<V> = Readonly<Record<string, V>> | Iterable<readonly [name: string, value: V]>

/**
 * The names and values, in their order.
 *
 * @param what - the plural noun that the error message uses: `gradients`.
 * @throws TypeError if `named` is neither an object nor an iterable of pairs.
 */
export function entriesOf<V>(
  owner: string,
  what: string,
  named: Named<V>,
): readonly (readonly [name: string, value: V])[] {
  const refuse = (actual: unknown): never => {
    throw new TypeError(`${owner}: ${what} must be an object or a list of pairs, but are ${actual}`)
  }
  if (typeof named !== 'object' || named === null) return refuse(named)
  if (!(Symbol.iterator in named)) return Object.entries(named)
  const entries = [...named]
  return entries.every(Array.isArray) ? entries : refuse(`a list of ${typeof entries[0]}s`)
}

/**
 * Checks that the names are unique, and that each shape is known if gradients are centralized.
 *
 * @throws TypeError naming the first parameter that fails.
 */
export function checkParameters<T>(
  rule: { readonly name: string },
  parameters: readonly Parameter<T>[],
  { centralize }: Transforms,
): void {
  const names = new Set<string>()
  for (const { name, shape } of parameters) {
    if (names.has(name)) throw new TypeError(`${rule.name}: two parameters are called ${name}`)
    if (centralize && !shape) {
      throw new TypeError(
        `${rule.name}: to centralize its gradient, the shape of ${name} is needed`,
      )
    }
    names.add(name)
  }
}
