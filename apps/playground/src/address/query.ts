/** Names and values of an address, in order; a name may come more than once. */
export type Query = readonly (readonly [name: string, value: string | number])[]

/** Letters that an address may hold as they are, so that people can read it. */
const plain: Readonly<Record<string, string>> = { '%2C': ',', '%3A': ':' }

/** Writes the part of an address after the question mark. */
export const writeQuery = (query: Query): string =>
  query
    .map(([name, value]) => {
      const coded = encodeURIComponent(value).replace(/%2C|%3A/g, (code) => plain[code])
      return `${name}=${coded}`
    })
    .join('&')

/** A whole number between bounds, or something else if it is none. */
export function wholeFrom(
  query: URLSearchParams,
  name: string,
  [low, high]: readonly [low: number, high: number],
  otherwise: number,
): number {
  const given = query.get(name)
  const value = Number(given)
  if (given === null || given === '' || !Number.isSafeInteger(value)) return otherwise
  return Math.min(Math.max(value, low), high)
}

/** One of some words, or the first of them. */
export function wordFrom<W extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly [W, ...W[]],
): W {
  return words.find((word) => word === query.get(name)) ?? words[0]
}
