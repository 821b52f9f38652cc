/** The place of the largest element of a row; of several, the first. */
export function largest(rows: ArrayLike<number>, row: number, columns: number): number {
  const start = row * columns
  let place = 0
  for (let i = 1; i < columns; i++) if (rows[start + i] > rows[start + place]) place = i
  return place
}

/** The share of rows of which the largest logit and the largest target have the same place. */
export function agreement(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  rows: number,
): number {
  const columns = logits.length / rows
  let right = 0
  for (let i = 0; i < rows; i++)
    if (largest(logits, i, columns) === largest(targets, i, columns)) right++
  return right / rows
}
