import type { Surroundings } from './surroundings.ts'

/** A parameter: the array that is trained, and its shape, where the array itself does not tell. */
export interface Parameter<T> {
  readonly name: string
  readonly value: T
  /** Row-major; unknown where left out. */
  readonly shape?: readonly number[]
}

/**
 * Makes sure that parameters can be told apart, and that all is known of them that is needed.
 *
 * @throws TypeError naming the first parameter of which it is not so.
 */
export function checkParameters<T>(
  rule: { readonly name: string },
  parameters: readonly Parameter<T>[],
  { centralize }: Surroundings,
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
