/** Formats a number with four decimals, or in exponential notation when very small or large: −0.3000, 1.23e−7. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toFixed(4)
  return text.replace(/-/g, '−')
}

/** Formats a number with at most four significant digits: −0.09412, 1e−8. */
export function formatSignificant(value: number): string {
  const rounded = Number(value.toPrecision(4))
  const size = Math.abs(rounded)
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? rounded.toExponential() : formatPlain(rounded)
  return text.replace(/-/g, '−').replace('+', '')
}

const formatPlain = (value: number): string =>
  Number.isFinite(value) ? `${value}` : formatNumber(value)

/** Formats the coordinates of a point. */
export const formatPoint = (point: readonly number[]): string => point.map(formatNumber).join(', ')

/** Formats coordinates with two decimals. */
export const formatRounded = (point: readonly number[]): string =>
  point.map((x) => (Math.round(100 * x) / 100).toFixed(2).replace('-', '−')).join(', ')

/** Formats a share as percent, with one decimal below 10 %. */
export const formatPercent = (share: number): string =>
  `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** Formats 10 to the power of a whole exponent: 10⁻⁴. */
export function formatPowerOfTen(exponent: number): string {
  const digits = `${Math.abs(exponent)}`.replace(/\d/g, (digit) => superscripts[Number(digit)])
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}
