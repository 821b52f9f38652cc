import type { Histogram } from '@diffgrad/core'
import { distances } from '../../training/friction.ts'
import type { FrictionReading } from '../../training/history.ts'
import { accent, type ChartOption, line, muted, series } from '../chart.ts'

/** Shares of |ξ − ½| below the first distance, and between each two. */
export function distanceShares({ edges, counts }: Histogram): readonly number[] {
  const shares = new Array<number>(distances.length).fill(0)
  const all = Math.max(
    counts.reduce((a, b) => a + b, 0),
    1,
  )
  for (const [i, count] of counts.entries()) {
    const middle = Math.abs((edges[i] + edges[i + 1]) / 2 - 0.5)
    const place = distances.findIndex((distance) => middle < distance)
    shares[place] += count / all
  }
  return shares
}

/** The distance from ½ that so large a share of all ξ does not exceed: the upper edge of its bin. */
export function distanceQuantile(histogram: Histogram, share: number): number {
  let sum = 0
  for (const [i, part] of distanceShares(histogram).entries()) {
    sum += part
    if (sum >= share) return distances[i]
  }
  return distances[distances.length - 1]
}

const powers = [-7, -6, -5, -4, -3, -2, -1, 0]
const powerText = (power: number): string =>
  power === 0 ? '1' : `10⁻${['', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷'][-power] ?? ''}`

interface Cell {
  value(dimension: number): number
  coord(point: readonly number[]): readonly [number, number]
}

/** How far ξ is from ½, on a logarithmic scale, over the steps: the darker, the more parameters. */
export function frictionChart(
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): ChartOption {
  const [lowest, highest] = [-7.5, 0.5]
  const ends = distances.map((distance) => Math.min(Math.log10(distance), highest))
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
  const median = readings.map(({ histogram }, i) => [
    ((times[i - 1] ?? 0) + times[i]) / 2,
    Math.log10(distanceQuantile(histogram, 0.5)),
  ])
  return {
    grid: { left: 56, right: 16, top: 12, bottom: 40 },
    xAxis: {
      type: 'value',
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 24,
      min: 0,
      max: times[times.length - 1],
      splitLine: { show: false },
      // Zero is no place on a logarithmic scale.
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
        renderItem(_: unknown, api: Cell) {
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
        type: 'line',
        data: median,
        symbol: 'none',
        lineStyle: { color: series(1), width: 2 },
      },
    ],
  }
}

/** How |ξ − ½| is spread at the end of each epoch: shares of the parameters, two bins a decade. */
export function spreadChart(
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): ChartOption {
  const ends = readings.filter(({ step }) => (step + 1) % stepsPerEpoch === 0)
  const shown = ends.length > 0 ? ends : readings.slice(-1)
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
    series: shown.map(({ histogram }, i) => ({
      type: 'line',
      step: 'middle',
      symbol: 'none',
      data: distanceShares(histogram).map((share, j) => [
        Math.min(j / 2 - 7.25, 0.25),
        100 * share,
      ]),
      // The last epoch is the strongest.
      lineStyle: { color: accent, width: 1.5, opacity: 0.2 + (0.8 * (i + 1)) / shown.length },
    })),
  }
}
