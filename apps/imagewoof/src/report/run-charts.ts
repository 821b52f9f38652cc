import { formatPercent } from '../format.ts'
import { bestEpoch, type EpochRow, type History } from '../run/history.ts'
import { type ChartOption, ink, lineSeries, type NamedLine } from './chart.ts'

const grid = { left: 48, right: 16, top: 12, bottom: 40 }
const epochs = {
  type: 'value',
  name: 'epoch',
  nameLocation: 'middle',
  nameGap: 24,
  minInterval: 1,
  min: 0,
}

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

const perEpoch = (rows: readonly EpochRow[], value: (row: EpochRow) => number): NamedLine['data'] =>
  rows.map((row) => [row.epoch, value(row)])

/** A ring around the value of the best epoch, the first with the highest top-1 accuracy. */
function bestSeries(history: History, value: (row: EpochRow) => number) {
  const best = bestEpoch(history)
  return {
    type: 'scatter',
    name: 'best epoch',
    data: best ? perEpoch([best], value) : [],
    symbol: 'circle',
    symbolSize: 13,
    z: 5,
    itemStyle: { color: 'transparent', borderColor: ink, borderWidth: 2 },
    lineStyle: { color: ink },
  }
}

/** Training loss by step, and validation loss by epoch. */
export function lossChart(history: History, stepsPerEpoch: number): ChartOption {
  const steps = downsample(history.losses, 240).map(
    ([step, loss]) => [step / stepsPerEpoch, loss] as const,
  )
  const value = ({ validationLoss }: EpochRow): number => validationLoss
  return {
    grid,
    xAxis: epochs,
    yAxis: { type: 'value', scale: true },
    hover: { x: epochText },
    series: [
      { ...lineSeries('training', 0, steps), symbol: 'none' },
      { ...lineSeries('validation', 1, perEpoch(history.epochs, value)) },
      bestSeries(history, value),
    ],
  }
}

const epochText = (epoch: number): string => `epoch ${Number(epoch.toFixed(2))}`

/** Training and validation accuracy by epoch. */
export function accuracyChart(history: History): ChartOption {
  const value = ({ top1 }: EpochRow): number => 100 * top1
  return {
    grid,
    xAxis: epochs,
    yAxis: { type: 'value', axisLabel: { formatter: '{value} %' } },
    hover: { x: epochText, y: (percent) => formatPercent(percent / 100) },
    series: [
      {
        ...lineSeries(
          'training',
          0,
          perEpoch(history.epochs, ({ trainAccuracy }) => 100 * trainAccuracy),
        ),
      },
      { ...lineSeries('validation', 1, perEpoch(history.epochs, value)) },
      bestSeries(history, value),
    ],
  }
}

/** Learning rate by epoch. */
export const rateChart = (rates: NamedLine['data']): ChartOption => ({
  grid: { ...grid, left: 56 },
  xAxis: epochs,
  yAxis: { type: 'value' },
  hover: { x: epochText },
  series: [{ ...lineSeries('learning rate', 0, rates), symbol: 'none' }],
})
