/** The place of the largest element of a row; of several, the first. */
export function largest(rows: ArrayLike<number>, row: number, columns: number): number {
  const start = row * columns
  let place = 0
  for (let i = 1; i < columns; i++) if (rows[start + i] > rows[start + place]) place = i
  return place
}
