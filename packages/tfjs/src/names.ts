/** The name without the suffix that TensorFlow.js appends where a name is taken: `kernel_1`. */
const stem = (name: string): string => name.replace(/_\d+$/, '')

/** Names that TensorFlow.js made up, because the user gave none: by a counter, so they mean nothing. */
const isMadeUp = (name: string): boolean => /^\d+$/.test(name)

/**
 * Finds out which of the saved parameters each variable is. A model that is loaded where another one
 * with the same names lives has its variables renamed, so names match up to such a suffix; where none
 * matches, and there are equally many, the order tells. Variables that are none of the saved ones are
 * left out.
 *
 * @throws TypeError if nothing tells.
 */
export function matchNames(
  owner: string,
  variables: readonly string[],
  saved: readonly string[],
): ReadonlyMap<string, string> {
  if (variables.length === 0) return new Map()
  const same = variables.filter((name) => saved.includes(name))
  if (same.length === variables.length && same.length === saved.length) {
    return new Map(same.map((name) => [name, name]))
  }
  const found = variables.flatMap((name) => {
    if (isMadeUp(name)) return []
    const alike = saved.filter((other) => stem(other) === stem(name))
    if (alike.includes(name)) return [[name, name] as const]
    return alike.length === 1 ? [[name, alike[0]] as const] : []
  })
  if (found.length > 0) return new Map(found)
  if (variables.length === saved.length)
    return new Map(variables.map((name, i) => [name, saved[i]]))
  throw new TypeError(`${owner}: the state is of ${saved}, but the variables are ${variables}`)
}
