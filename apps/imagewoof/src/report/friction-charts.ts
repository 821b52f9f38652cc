import type { Histogram } from '@diffgrad/core'
import { formatNumber } from '../format.ts'
import { type FrictionReading, frictionDistances } from '../run/history.ts'
import { accent, type ChartOption, line, lineSeries, muted, type RenderApi } from './chart.ts'

/** The share of parameters in each bin of |ξ − ½|: below the first distance, and between each two. */
export function distanceShares({ edges, counts }: Histogram): readonly number[] {
  const shares = new Array<number>(frictionDistances.length).fill(0)
  const total = Math.max(
    counts.reduce((a, b) => a + b, 0),
    1,
  )
  for (const [i, count] of counts.entries()) {
    const middle = Math.abs((edges[i] + edges[i + 1]) / 2 - 0.5)
    const bin = frictionDistances.findIndex((distance) => middle < distance)
    shares[bin] += count / total
  }
  return shares
}

/** A quantile of |ξ − ½|: the upper edge of its bin. */
export function distanceQuantile(histogram: Histogram, share: number): number {
  let sum = 0
  for (const [i, binShare] of distanceShares(histogram).entries()) {
    sum += binShare
    if (sum >= share) return frictionDistances[i]
  }
  return frictionDistances[frictionDistances.length - 1]
}

const powers = [-7, -6, -5, -4, -3, -2, -1, 0]
const powerText = (power: number): string =>
  power === 0 ? '1' : `10⁻${['', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷'][-power] ?? ''}`

/** Heat map of |ξ − ½| over the steps, on a logarithmic scale, with the median. A stronger colour is more parameters. */
export function frictionChart(
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): ChartOption {
  const [lowest, highest] = [-7.5, 0.5]
  const ends = frictionDistances.map((distance) => Math.min(Math.log10(distance), highest))
  const times = readings.map(({ step }) => (step + 1) / stepsPerEpoch)
  const cells = readings.flatMap(({ histogram }, i) =>
    distanceShares(histogram).map((share, j) => [
      times[i - 1] ?? 0,
      times[i],
      j === 0 ? lowest : ends[j - 1],
      ends[j],
      share,
    ]),
  )
  const largest = Math.max(...cells.map(([, , , , share]) => share))
  const median = readings.map(
    ({ histogram }, i) =>
      [((times[i - 1] ?? 0) + times[i]) / 2, Math.log10(distanceQuantile(histogram, 0.5))] as const,
  )
  return {
    hover: {
      x: (epoch) => `epoch ${Number(epoch.toFixed(2))}`,
      y: (power) => formatNumber(10 ** power),
    },
    grid: { left: 56, right: 16, top: 12, bottom: 40 },
    xAxis: {
      type: 'value',
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 24,
      min: 0,
      max: times[times.length - 1],
      splitLine: { show: false },
      // A logarithmic scale has no zero.
      axisLine: { onZero: false, lineStyle: { color: line } },
      axisLabel: { color: muted, showMaxLabel: Number.isInteger(times[times.length - 1]) },
    },
    yAxis: {
      type: 'value',
      min: lowest,
      max: highest,
      interval: 1,
      axisLabel: {
        color: muted,
        customValues: powers,
        formatter: powerText,
      },
      axisTick: { customValues: powers },
      splitLine: { show: false },
    },
    series: [
      {
        type: 'custom',
        data: cells,
        clip: true,
        renderItem(_: unknown, api: RenderApi) {
          const [left, bottom] = api.coord([api.value(0), api.value(2)])
          const [right, top] = api.coord([api.value(1), api.value(3)])
          const share = api.value(4)
          return {
            type: 'rect',
            shape: { x: left, y: top, width: right - left + 0.3, height: bottom - top - 0.5 },
            style: { fill: accent, opacity: share === 0 ? 0 : 0.06 + 0.84 * (share / largest) },
          }
        },
        encode: { x: [0, 1], y: [2, 3] },
      },
      {
        ...lineSeries('median', 1, median),
        symbol: 'none',
      },
    ],
  }
}

/** The number of epochs whose distributions are shown. */
const maxDistributions = 4

/** Distribution of |ξ − ½| at the end of some epochs: shares of the parameters, two bins per decade. */
export function distributionChart(
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): ChartOption {
  const ends = readings.filter(({ step }) => (step + 1) % stepsPerEpoch === 0)
  const all = ends.length > 0 ? ends : readings.slice(-1)
  const count = Math.min(all.length, maxDistributions)
  // Evenly spaced, with the last one.
  const shown = Array.from(
    { length: count },
    (_, i) => all[Math.ceil((all.length * (i + 1)) / count) - 1],
  )
  return {
    grid: { left: 48, right: 20, top: 12, bottom: 40 },
    xAxis: {
      type: 'value',
      min: -7.5,
      max: 0.5,
      name: '|ξ − ½|',
      nameLocation: 'middle',
      nameGap: 26,
      axisLabel: { color: muted, customValues: powers, formatter: powerText },
      axisTick: { customValues: powers },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      axisLine: { onZero: false, lineStyle: { color: line } },
      axisLabel: { formatter: '{value} %', color: muted },
    },
    hover: {
      x: (power) => `|ξ − ½| near ${formatNumber(10 ** power)}`,
      y: (percent) => `${formatNumber(percent)} %`,
    },
    series: shown.map(({ step, histogram }, i) => ({
      ...lineSeries(
        `epoch ${formatNumber((step + 1) / stepsPerEpoch)}`,
        i,
        distanceShares(histogram).map((share, j) => [Math.min(j / 2 - 7.25, 0.25), 100 * share]),
      ),
      step: 'middle',
      symbol: 'none',
    })),
  }
}
