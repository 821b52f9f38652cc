/** 0.9312 → 93.1 %. */
export const formatPercent = (share: number, digits = 1): string =>
  `${(100 * share).toFixed(digits)} %`

/** A 95 % interval: 0.943, 0.968 → 94.3–96.8 %. */
export const formatInterval = ([low, high]: readonly [number, number], digits = 1): string =>
  `${(100 * low).toFixed(digits)}–${formatPercent(high, digits)}`

/** 3929 → 3,929. */
export const formatCount = (count: number): string => count.toLocaleString('en')

/** Three significant digits, scientific below 0.001: 0.000031 → 3.1e-5; 0.5 → 0.5. */
export const formatNumber = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)))

/** A learning rate with three significant digits, in a form that the command line reads back. */
export const formatRate = (rate: number): string => String(Number(rate.toPrecision(3)))

/** Seconds → 42 s, 3 min 05 s or 2 h 07 min. */
export function formatDuration(seconds: number): string {
  const total = Math.round(seconds)
  const pad = (n: number): string => String(n).padStart(2, '0')
  if (total < 60) return `${total} s`
  if (total < 3600) return `${Math.floor(total / 60)} min ${pad(total % 60)} s`
  return `${Math.floor(total / 3600)} h ${pad(Math.floor((total % 3600) / 60))} min`
}
