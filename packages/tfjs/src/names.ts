/** The name without the suffix that TensorFlow.js appends where a name is taken: `kernel_1`. */
const stem = (name: string): string => name.replace(/_\d+$/, '')

/** Names that TensorFlow.js made up, because the user gave none: by a counter, so they mean nothing. */
const isMadeUp = (name: string): boolean => /^\d+$/.test(name)

/**
 * Finds out which of the saved parameters each variable is, no two the same one. Equal names come first.
 * A model that is loaded where another one with the same names lives has its variables renamed, so of
 * what is left, names match up to such a suffix, where there is one on either side. If no name that the
 * user gave matches, and there are equally many, the order tells. Variables that are none of the saved
 * ones are left out.
 *
 * @throws TypeError if nothing tells.
 */
export function matchNames(
  owner: string,
  variables: readonly string[],
  saved: readonly string[],
): ReadonlyMap<string, string> {
  if (variables.length === 0) return new Map()
  const equal = variables.filter((name) => saved.includes(name))
  const left = (names: readonly string[]): readonly string[] =>
    names.filter((name) => !equal.includes(name) && !isMadeUp(name))
  const [ours, theirs] = [left(variables), left(saved)]
  const renamed = ours.flatMap((name) => {
    const alike = (names: readonly string[]): readonly string[] =>
      names.filter((other) => stem(other) === stem(name))
    const [rivals, found] = [alike(ours), alike(theirs)]
    return rivals.length === 1 && found.length === 1 ? [[name, found[0]] as const] : []
  })
  const matches = new Map([...equal.map((name) => [name, name] as const), ...renamed])
  const complete = equal.length === variables.length && equal.length === saved.length
  if (complete || [...matches.keys()].some((name) => !isMadeUp(name))) return matches
  if (variables.length === saved.length)
    return new Map(variables.map((name, i) => [name, saved[i]]))
  throw new TypeError(`${owner}: the state is of ${saved}, but the variables are ${variables}`)
}
