import type { Outcome } from '../../compare/comparison.ts'
import type { Standing } from '../../compare/standing.ts'
import type { EpochRow } from '../../training/history.ts'
import { type ChartOption, ink, muted, series, surface } from '../chart.ts'

/** Every run as a dot, and the mean of each contender as a line across. */
export const dotsChart = (standings: readonly Standing[]): ChartOption => ({
  grid: {
    // Text is not measured here, so it is given room by its length.
    left: 24 + 7.5 * Math.max(...standings.map(({ contender }) => contender.length)),
    right: 24,
    top: 8,
    bottom: 40,
  },
  xAxis: {
    type: 'value',
    scale: true,
    boundaryGap: ['5%', '5%'],
    name: 'top-1 after the last epoch (%)',
    nameLocation: 'middle',
    nameGap: 24,
    axisLabel: { color: muted },
  },
  yAxis: {
    type: 'category',
    inverse: true,
    data: standings.map(({ contender }) => contender),
    axisTick: { show: false },
    axisLabel: { color: ink, interval: 0 },
  },
  series: [
    {
      type: 'scatter',
      symbolSize: 9,
      data: standings.flatMap(({ top1 }, i) =>
        top1.map((share) => ({
          value: [100 * share, i],
          itemStyle: { color: series(i), opacity: 0.75, borderColor: surface, borderWidth: 1 },
        })),
      ),
    },
    {
      type: 'scatter',
      symbol: 'rect',
      symbolSize: [3, 20],
      data: standings.map(({ mean }, i) => ({
        value: [100 * mean, i],
        itemStyle: { color: series(i) },
      })),
    },
  ],
})

/** A figure of every epoch: runs as thin lines, contenders' means as thick ones. */
export function epochsChart(
  outcomes: readonly Outcome[],
  contenders: readonly string[],
  value: (row: EpochRow) => number,
): ChartOption {
  const lines = contenders.flatMap((contender, i) => {
    const own = outcomes.filter((outcome) => outcome.contender === contender)
    const points = own.map(({ history }) => history.epochs.map((row) => [row.epoch, value(row)]))
    const mean = (points[0] ?? []).map(([epoch], j) => [
      epoch,
      points.reduce((sum, run) => sum + run[j][1], 0) / points.length,
    ])
    const color = series(i)
    const line = { type: 'line', itemStyle: { color } }
    return [
      ...(points.length > 1
        ? points.map((data) => ({
            ...line,
            data,
            symbol: 'none',
            lineStyle: { color, width: 1, opacity: 0.3 },
          }))
        : []),
      { ...line, data: mean, symbol: 'circle', symbolSize: 4, lineStyle: { color, width: 2 } },
    ]
  })
  return {
    grid: { left: 48, right: 16, top: 12, bottom: 40 },
    xAxis: {
      type: 'value',
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 24,
      minInterval: 1,
      min: 'dataMin',
      axisLabel: { color: muted },
    },
    yAxis: { type: 'value', scale: true },
    series: lines,
  }
}
