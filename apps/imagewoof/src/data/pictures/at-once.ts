/** Does something for all items, several at a time; the first that fails ends it. */
export async function atOnce<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) await task(item, index)
  }
  await Promise.all(Array.from({ length: limit }, work))
}
