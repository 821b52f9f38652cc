/** 0.9312 as 93.1 %. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`

/** 3929 as 3,929. */
export const whole = (count: number): string => count.toLocaleString('en')

/** 0.000031 as 3.1e-5; 0.5 as 0.5. */
export const short = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)))
