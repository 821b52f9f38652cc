/** A number with as many digits as people compare: −0.3000, 1.23e−7. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return 'lost'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toFixed(4)
  return text.replace(/-/g, '−')
}

/** A point, axis by axis. */
export const pointFigure = (point: readonly number[]): string => point.map(figure).join(', ')
