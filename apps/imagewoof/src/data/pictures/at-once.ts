/** Does something for all items, several at a time. After a failure, nothing new is begun. */
export async function atOnce<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries()
  let failed = false
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (failed) return
      await task(item, index).catch((error) => {
        failed = true
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: limit }, work))
}
