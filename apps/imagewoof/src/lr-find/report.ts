import { rules } from '../config/choices.ts'
import type { Config } from '../config/config.ts'
import { formatNumber } from '../format.ts'
import { type ChartOption, chart, muted, series } from '../report/chart.ts'
import { figure, html, page, valueTable } from '../report/page.ts'
import { type RangeTestOptions, smoothed, type Trial } from './range-test.ts'

/** The report of a range test: a plot of its losses, and the suggested learning rate. */
export function rangeTestReport(
  config: Config,
  range: RangeTestOptions,
  trials: readonly Trial[],
  suggested: number | undefined,
): string {
  const { name } = rules[config.optimizer]
  const title = `Learning-rate range test of ${name} on ${config.data}`
  return page(title, [
    html`<h1>${title}</h1>
<p>${
      suggested === undefined
        ? 'The loss never fell; start the range lower.'
        : html`Suggested: <b>${formatNumber(suggested)}</b>, where the loss falls fastest.`
    }</p>
<div class="grid wide">${figure(
      'Loss by learning rate',
      chart(rangeChart(range, trials, suggested), 'Loss by learning rate', {
        width: 640,
        height: 380,
      }),
      'Thin: loss of every step. Thick: exponential moving average. Dashed: the suggested rate.',
    )}</div>
<details><summary>Configuration</summary>${valueTable(Object.entries(config))}</details>`,
  ])
}

function rangeChart(
  { from, to }: RangeTestOptions,
  trials: readonly Trial[],
  suggested: number | undefined,
): ChartOption {
  const smooth = smoothed(trials)
  const losses = smooth.map(({ loss }) => loss)
  const [low, high] = [Math.min(...losses), Math.max(...losses.slice(0, 10))]
  const [bottom, top] = [
    Math.floor(10 * (low - 0.2 * (high - low))) / 10,
    Math.ceil(10 * (high + 0.5 * (high - low))) / 10,
  ]
  const points = (losses: readonly Trial[]) => losses.map(({ rate, loss }) => [rate, loss])
  return {
    grid: { left: 48, right: 20, top: 16, bottom: 44 },
    xAxis: {
      type: 'log',
      name: 'learning rate',
      nameLocation: 'middle',
      nameGap: 28,
      min: from,
      max: to,
      axisLabel: { color: muted, formatter: (rate: number) => rate.toExponential(0) },
    },
    yAxis: { type: 'value', min: bottom, max: top },
    series: [
      {
        type: 'line',
        symbol: 'none',
        data: points(trials),
        lineStyle: { color: series(0), width: 1, opacity: 0.35 },
      },
      {
        type: 'line',
        symbol: 'none',
        data: points(smooth),
        lineStyle: { color: series(0), width: 2 },
      },
      ...(suggested === undefined
        ? []
        : [
            {
              type: 'line',
              symbol: 'none',
              data: [
                [suggested, bottom],
                [suggested, top],
              ],
              lineStyle: { color: series(1), type: 'dashed', width: 2 },
            },
          ]),
    ],
  }
}
