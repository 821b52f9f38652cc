import type { Backend, Saved } from './backend.ts'
import type { Equations, SameStepGradients } from './group.ts'
import { type Histogram, histogram } from './histogram.ts'
import type { CommonOptions } from './rule.ts'

/** The values inside the rule, as `inspect` shows them: of each name, one array a parameter. */
export type Inspection<S = Saved> = Readonly<Record<string, Readonly<Record<string, S>>>>

/** Computes the values inside the rule for some parameters, which stay as they are. */
export function inspection<T, O extends CommonOptions, S>(
  backend: Backend<T, S>,
  prepared: readonly (SameStepGradients<T, O> & Equations)[],
): Inspection<S> {
  const found: Record<string, Record<string, S>> = {}
  for (const { group, positions, gradients, inspect, coefficients } of prepared) {
    const shown = backend.scratch(gradients, inspect.writes)
    backend.apply(inspect, { ...group.lists(positions, gradients), ...shown }, coefficients)
    for (const [name, arrays] of Object.entries(shown)) {
      const values = arrays.map((array, k) => [
        group.parameters[positions[k]].name,
        backend.read(array),
      ])
      found[name] = { ...found[name], ...Object.fromEntries(values) }
    }
  }
  return found
}

/**
 * The values of an inspection counted between edges, of all parameters together.
 *
 * @throws RangeError if the rule has no such value, or if edges do not rise.
 */
export function histogramsOf(
  { name: owner }: { readonly name: string },
  shown: Inspection,
  edges: Readonly<Record<string, readonly number[]>>,
): Readonly<Record<string, Histogram>> {
  const counted = Object.entries(edges).map(([name, rising]) => {
    if (!Object.hasOwn(shown, name)) {
      throw new RangeError(`${owner}: has no ${name}; it has ${Object.keys(shown)}`)
    }
    return [name, histogram(elementsOf(Object.values(shown[name])), rising)]
  })
  return Object.fromEntries(counted)
}

function* elementsOf(arrays: readonly Saved[]): Generator<number> {
  for (const array of arrays) yield* array
}
