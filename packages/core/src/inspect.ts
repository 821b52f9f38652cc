import type { Backend, SavedArray } from './backend.ts'
import type { Hyperparameters } from './rule.ts'
import { applyKernel, type PreparedUpdate } from './update.ts'

/** The intermediates of a rule and the effective step: by name, one array per parameter. */
export type Inspection<
  S = SavedArray,
  Name extends string = string,
  Intermediate extends string = string,
> = {
  readonly [I in Intermediate | 'effectiveStep']: { readonly [N in Name]: S }
}

/** Computes the intermediates of a rule for gradients, without changing any parameter. */
export function inspectGradients<T, H extends Hyperparameters, S>(
  backend: Backend<T, S>,
  prepared: readonly PreparedUpdate<T, H>[],
): Inspection<S> {
  const inspection: Record<string, Record<string, S>> = {}
  for (const update of prepared) {
    const { group, positions, gradients, inspect } = update
    const outputs = backend.scratch(gradients, inspect.writes)
    applyKernel(backend, update, inspect, { ...group.readLists(positions, gradients), ...outputs })
    for (const [name, arrays] of Object.entries(outputs)) {
      const values = arrays.map((array, k) => [
        group.parameters[positions[k]].name,
        backend.read(array),
      ])
      inspection[name] = { ...inspection[name], ...Object.fromEntries(values) }
    }
  }
  return inspection
}

/**
 * Histograms of an inspection, each over all parameters.
 *
 * @param edges - by the names of the inspection.
 * @throws RangeError if a name is unknown, or edges do not increase.
 */
export function histogramsOf(
  { name: owner }: { readonly name: string },
  inspection: Inspection,
  edges: Readonly<Record<string, readonly number[]>>,
): Readonly<Record<string, Histogram>> {
  const histograms = Object.entries(edges).map(([name, increasing]) => {
    if (!Object.hasOwn(inspection, name)) {
      throw new RangeError(`${owner}: has no ${name}; it has ${Object.keys(inspection)}`)
    }
    return [name, histogram(elementsOf(Object.values(inspection[name])), increasing)]
  })
  return Object.fromEntries(histograms)
}

function* elementsOf(arrays: readonly SavedArray[]): Generator<number> {
  for (const array of arrays) yield* array
}

/** The number of values between edges. */
export interface Histogram {
  /** Increasing; bin i counts edges[i] ≤ value < edges[i + 1]. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** The number of values below the first edge, at or above the last, or NaN. */
  readonly outside: number
  readonly mean: number
}

/**
 * Counts values between edges.
 *
 * @param edges - increasing, at least two.
 * @throws RangeError if the edges do not increase.
 */
export function histogram(values: Iterable<number>, edges: readonly number[]): Histogram {
  if (edges.length < 2 || edges.some((edge, i) => i > 0 && !(edge > edges[i - 1]))) {
    throw new RangeError(
      `histogram: edges must be at least two increasing numbers, but are ${edges}`,
    )
  }
  const counts = new Array<number>(edges.length - 1).fill(0)
  let outside = 0
  let sum = 0
  let n = 0
  for (const value of values) {
    sum += value
    n++
    const bin = upperBound(edges, value) - 1
    if (bin >= 0 && bin < counts.length) counts[bin]++
    else outside++
  }
  return { edges, counts, outside, mean: sum / n }
}

/** The number of edges at or below a value, by binary search. */
function upperBound(edges: readonly number[], value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle] <= value) low = middle + 1
    else high = middle
  }
  return low
}
