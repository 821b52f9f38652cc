import { type Html, html } from './page.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly name: string
  readonly text: (row: Row) => Html | string
  /** Sort key, for columns of numbers. */
  readonly value?: (row: Row) => number
}

/**
 * A table that its reader can sort by each column, and scroll if it is long.
 *
 * @param isBest - marks a row.
 */
export function dataTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  isBest: (row: Row) => boolean = () => false,
): Html {
  const header = columns.map(
    ({ name, value }) =>
      html`<th scope="col" class="${value ? 'number' : ''}"><button>${name}</button></th>`,
  )
  const cell = (row: Row, { text, value }: Column<Row>): Html =>
    value
      ? html`<td class="number" data-value="${value(row)}">${text(row)}</td>`
      : html`<td>${text(row)}</td>`
  const body = rows.map(
    (row) =>
      html`<tr class="${isBest(row) ? 'best' : ''}">${columns.map((column) => cell(row, column))}</tr>`,
  )
  return html`<div class="card scroll tall"><table><thead><tr>${header}</tr></thead><tbody>${body}</tbody></table></div>`
}
