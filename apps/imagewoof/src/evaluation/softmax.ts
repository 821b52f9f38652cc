/** ln Σ eˣ of a row, without overflow. */
export function logSumExp(rows: Float32Array, row: number, columns: number): number {
  const logits = rows.subarray(row * columns, (row + 1) * columns)
  const top = Math.max(...logits)
  return top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0))
}
