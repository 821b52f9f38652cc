import type { EvaluationSummary } from '../evaluation/summary.ts'
import { formatCount, formatPercent } from '../format.ts'
import { figure, type Html, html } from './page.ts'

/** The number of classes up to which the whole matrix is a table; of more, the most confused ones. */
const maxTableClasses = 10

type Matrix = readonly (readonly number[])[]
type Confusions = Pick<EvaluationSummary, 'matrix' | 'classes' | 'epoch'>

/** The confusion matrix: as a table if it is small, else a map of it, and a table of the most confused classes. */
export function confusionFigures({ matrix, classes, epoch }: Confusions): readonly Html[] {
  const rows = `Rows are true classes, columns predicted classes, with the weights of epoch ${epoch}. The stronger the colour, the larger the share of the row.`
  if (classes.length <= maxTableClasses)
    return [figure('Confusion matrix', matrixTable(matrix, classes, [...classes.keys()]), rows)]
  const worst = mostConfusedClasses(matrix, maxTableClasses)
  return [
    figure('Confusion map', confusionMap(matrix, classes), rows),
    ...(worst.length === 0
      ? []
      : [
          figure(
            `The ${worst.length} most confused of ${classes.length} classes`,
            matrixTable(matrix, classes, worst),
            'A part of the confusion matrix: the classes of the most confused pairs.',
          ),
        ]),
  ]
}

/** Off-diagonal cells by descending count. */
function pairsOf(matrix: Matrix): readonly { actual: number; predicted: number; count: number }[] {
  return matrix
    .flatMap((row, actual) =>
      row.flatMap((count, predicted) =>
        count > 0 && actual !== predicted ? [{ actual, predicted, count }] : [],
      ),
    )
    .toSorted((a, b) => b.count - a.count)
}

/** The classes of the most confused pairs, at most `limit`, in the order of the data set. */
function mostConfusedClasses(matrix: Matrix, limit: number): readonly number[] {
  const found = new Set<number>()
  for (const { actual, predicted } of pairsOf(matrix)) {
    if (new Set([...found, actual, predicted]).size > limit) break
    found.add(actual).add(predicted)
  }
  return [...found].toSorted((a, b) => a - b)
}

const sumOf = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0)

const cellText = (matrix: Matrix, classes: readonly string[], i: number, j: number): string => {
  const sum = sumOf(matrix[i])
  const verb = i === j ? 'recognized' : `classified as ${classes[j]}`
  const share = sum === 0 ? '' : ` (${formatPercent(matrix[i][j] / sum)})`
  return `${classes[i]} ${verb}: ${formatCount(matrix[i][j])} of ${formatCount(sum)}${share}`
}

/** Rows and columns of the matrix as a table. Columns have numbers, which the rows explain. */
function matrixTable(matrix: Matrix, classes: readonly string[], shown: readonly number[]): Html {
  const columns = shown.map((j, i) => html`<th scope="col" title="${classes[j]}">${i + 1}</th>`)
  const rows = shown.map((i, position) => {
    const sum = Math.max(sumOf(matrix[i]), 1)
    const cells = shown.map((j) => {
      const count = matrix[i][j]
      const share = count / sum
      const percent = count === 0 ? 3 : Math.round(12 + 88 * share)
      return html`<td class="${percent > 55 ? 'strong' : ''}" style="--share: ${percent}%" data-tip="${cellText(matrix, classes, i, j)}">${count === 0 ? '' : count}</td>`
    })
    return html`<tr><th scope="row">${classes[i]}</th><th>${position + 1}</th>${cells}</tr>`
  })
  return html`<div class="scroll"><table class="matrix" tabindex="0" data-cells="" aria-label="Confusion matrix"><thead><tr><th colspan="2"></th>${columns}</tr></thead><tbody>${rows}</tbody></table></div>`
}

const strengths = [0.25, 0.45, 0.65, 0.85, 1]

/** Every cell of a large matrix as a square, without names, which are hover values. */
function confusionMap(matrix: Matrix, classes: readonly string[]): Html {
  const paths: string[] = strengths.map(() => '')
  for (const [i, row] of matrix.entries()) {
    const sum = sumOf(row)
    for (const [j, count] of row.entries())
      if (count > 0) {
        const level = Math.ceil(strengths.length * Math.sqrt(count / sum)) - 1
        paths[level] += `M${j} ${i}h1v1h-1z`
      }
  }
  const rows = matrix.map((row) => [...row.entries()].filter(([, count]) => count > 0))
  const { length } = classes
  return html`<div class="zoom">${[100, 300, 900].map((percent) => html`<button data-zoom="${percent}" aria-pressed="${String(percent === 100)}">×${percent / 100}</button>`)}</div>
<div class="pan"><svg class="map" viewBox="0 0 ${length} ${length}" role="img" tabindex="0" aria-label="Confusion map" data-map="${JSON.stringify({ names: classes, rows })}">${paths.map((path, i) => html`<path d="${path}" opacity="${strengths[i]}"/>`)}</svg></div>`
}
