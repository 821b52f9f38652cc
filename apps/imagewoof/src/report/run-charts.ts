import type { EpochRow, History } from '../run/history.ts'
import {
  accent,
  type ChartOption,
  ink,
  line,
  muted,
  type RenderApi,
  series,
  surface,
} from './chart.ts'

const grid = { left: 48, right: 16, top: 36, bottom: 40 }
const legend = { top: 0, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 4, itemGap: 28 }
const epochs = { type: 'value', name: 'epoch', nameLocation: 'middle', nameGap: 24, minInterval: 1 }

/** Downsamples a list to at most `points` means of consecutive values, with their positions. */
function downsample(
  values: readonly number[],
  points: number,
): readonly (readonly [position: number, mean: number])[] {
  const stride = Math.max(Math.ceil(values.length / points), 1)
  return Array.from({ length: Math.ceil(values.length / stride) }, (_, i) => {
    const chunk = values.slice(i * stride, (i + 1) * stride)
    return [i * stride + chunk.length / 2, chunk.reduce((a, b) => a + b, 0) / chunk.length] as const
  })
}

const perEpoch = (
  rows: readonly EpochRow[],
  value: (row: EpochRow) => number,
): readonly (readonly [number, number])[] => rows.map((row) => [row.epoch, value(row)])

/** A line with a mark at each point, so that a single epoch is visible. */
const lineSeries = (name: string, i: number, data: unknown): object => ({
  type: 'line',
  name,
  data,
  symbolSize: 5,
  symbol: 'circle',
  itemStyle: { color: series(i) },
  lineStyle: { color: series(i), width: 2 },
})

/** Training loss by step, and validation loss by epoch. */
export function lossChart({ losses, epochs: rows }: History, stepsPerEpoch: number): ChartOption {
  const steps = downsample(losses, 240).map(([step, loss]) => [step / stepsPerEpoch, loss])
  return {
    grid,
    legend,
    xAxis: { ...epochs, min: 0 },
    yAxis: { type: 'value', scale: true },
    series: [
      { ...lineSeries('training', 0, steps), symbol: 'none' },
      lineSeries(
        'validation',
        1,
        perEpoch(rows, ({ validationLoss }) => validationLoss),
      ),
    ],
  }
}

/** Training and validation accuracy by epoch. */
export const accuracyChart = ({ epochs: rows }: History): ChartOption => ({
  grid,
  legend,
  xAxis: { ...epochs, min: 0 },
  yAxis: { type: 'value', axisLabel: { formatter: '{value} %', color: muted } },
  series: [
    lineSeries(
      'training',
      0,
      perEpoch(rows, ({ trainAccuracy }) => 100 * trainAccuracy),
    ),
    lineSeries(
      'validation',
      1,
      perEpoch(rows, ({ top1 }) => 100 * top1),
    ),
  ],
})

/** Learning rate by epoch. */
export const rateChart = (rates: readonly (readonly [number, number])[]): ChartOption => ({
  grid: { ...grid, top: 16, left: 56 },
  xAxis: { ...epochs, min: 0 },
  yAxis: { type: 'value', splitLine: { lineStyle: { color: line } } },
  series: [{ ...lineSeries('learning rate', 0, rates), symbol: 'none' }],
})

const truncate = (name: string): string => (name.length > 20 ? `${name.slice(0, 19)}…` : name)

/** Rows are true classes, columns predicted ones. A cell's colour is its share of the row. */
export function confusionChart(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
): ChartOption {
  const sums = matrix.map((row) =>
    Math.max(
      row.reduce((a, b) => a + b, 0),
      1,
    ),
  )
  const cells = matrix.flatMap((row, actual) =>
    row.map((count, predicted) => [predicted, actual, count, count / sums[actual]]),
  )
  const names = { type: 'category', data: classes.map(truncate), axisTick: { show: false } }
  const numbers = classes.length <= 20
  // echarts cannot measure text on the server, so margins follow its length.
  const length = Math.max(...classes.map((name) => truncate(name).length))
  return {
    grid: { left: 20 + 7 * length, right: 8, top: 8, bottom: 20 + 5 * length },
    xAxis: { ...names, axisLabel: { rotate: 45, color: muted, interval: 0 } },
    yAxis: { ...names, inverse: true, axisLabel: { color: muted, interval: 0 } },
    series: [
      {
        type: 'custom',
        data: cells,
        renderItem(_: unknown, api: RenderApi) {
          const [x, y] = api.coord([api.value(0), api.value(1)])
          const [width, height] = api.size([1, 1])
          const [count, share] = [api.value(2), api.value(3)]
          const rect = {
            type: 'rect',
            shape: { x: x - width / 2, y: y - height / 2, width: width - 1, height: height - 1 },
            style: { fill: accent, opacity: count === 0 ? 0.04 : 0.12 + 0.88 * share },
          }
          const text = {
            type: 'text',
            style: {
              text: String(count),
              x,
              y,
              align: 'center',
              verticalAlign: 'middle',
              fontSize: 11,
              fill: share > 0.45 ? surface : ink,
            },
          }
          return { type: 'group', children: numbers && count > 0 ? [rect, text] : [rect] }
        },
      },
    ],
  }
}
