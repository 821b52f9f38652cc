/** Names with their values: an object, a Map, or any other list of pairs. */
export type Named<V> = Readonly<Record<string, V>> | Iterable<readonly [name: string, value: V]>

/**
 * The names with their values, in their order.
 *
 * @throws TypeError if it is neither an object nor a list of pairs.
 */
export function entriesOf<V>(
  owner: string,
  what: string,
  named: Named<V>,
): readonly (readonly [name: string, value: V])[] {
  const refuse = (is: unknown): never => {
    throw new TypeError(`${owner}: ${what} must be an object or a list of pairs, but are ${is}`)
  }
  if (typeof named !== 'object' || named === null) return refuse(named)
  if (!(Symbol.iterator in named)) return Object.entries(named)
  const entries = [...named]
  return entries.every(Array.isArray) ? entries : refuse(`a list of ${typeof entries[0]}s`)
}
