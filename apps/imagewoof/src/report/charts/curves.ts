import type { EpochRow, History } from '../../training/history.ts'
import { type ChartOption, line, muted, series } from '../chart.ts'

const grid = { left: 48, right: 16, top: 36, bottom: 40 }
const legend = { top: 0, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 4, itemGap: 28 }
const epochs = { type: 'value', name: 'epoch', nameLocation: 'middle', nameGap: 24, minInterval: 1 }

/** At most so many points of a long list, each the mean of its neighbours. */
function thinned(
  values: readonly number[],
  points: number,
): readonly (readonly [place: number, mean: number])[] {
  const stride = Math.max(Math.ceil(values.length / points), 1)
  return Array.from({ length: Math.ceil(values.length / stride) }, (_, i) => {
    const some = values.slice(i * stride, (i + 1) * stride)
    return [i * stride + some.length / 2, some.reduce((a, b) => a + b, 0) / some.length] as const
  })
}

const perEpoch = (
  rows: readonly EpochRow[],
  value: (row: EpochRow) => number,
): readonly (readonly [number, number])[] => rows.map((row) => [row.epoch, value(row)])

/** A line through few points has marks, so that one epoch shows. */
const lineOf = (name: string, i: number, data: unknown): object => ({
  type: 'line',
  name,
  data,
  symbolSize: 5,
  symbol: 'circle',
  itemStyle: { color: series(i) },
  lineStyle: { color: series(i), width: 2 },
})

/** The loss of every step and of every epoch. */
export function lossChart({ losses, epochs: rows }: History, stepsPerEpoch: number): ChartOption {
  const steps = thinned(losses, 240).map(([step, loss]) => [step / stepsPerEpoch, loss])
  return {
    grid,
    legend,
    xAxis: { ...epochs, min: 0 },
    yAxis: { type: 'value', scale: true },
    series: [
      { ...lineOf('training', 0, steps), symbol: 'none' },
      lineOf(
        'validation',
        1,
        perEpoch(rows, ({ validationLoss }) => validationLoss),
      ),
    ],
  }
}

/** Right answers by epoch. */
export const accuracyChart = ({ epochs: rows }: History): ChartOption => ({
  grid,
  legend,
  xAxis: { ...epochs, min: 0 },
  yAxis: { type: 'value', axisLabel: { formatter: '{value} %', color: muted } },
  series: [
    lineOf(
      'training',
      0,
      perEpoch(rows, ({ trainAccuracy }) => 100 * trainAccuracy),
    ),
    lineOf(
      'validation',
      1,
      perEpoch(rows, ({ top1 }) => 100 * top1),
    ),
  ],
})

/** The course of the learning rate, over epochs. */
export const rateChart = (rates: readonly (readonly [number, number])[]): ChartOption => ({
  grid: { ...grid, top: 16, left: 56 },
  xAxis: { ...epochs, min: 0 },
  yAxis: { type: 'value', splitLine: { lineStyle: { color: line } } },
  series: [{ ...lineOf('learning rate', 0, rates), symbol: 'none' }],
})
