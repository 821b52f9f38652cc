/** Labels in memory that workers share. */
export function sharedLabels(labels: ArrayLike<number>): Uint16Array<SharedArrayBuffer> {
  const shared = new Uint16Array(new SharedArrayBuffer(2 * labels.length))
  shared.set(labels)
  return shared
}
