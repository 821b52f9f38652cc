import type { Config } from '../config/config.ts'
import { ruleOf } from '../config/rule.ts'
import { formatNumber } from '../format.ts'
import { type ChartOption, chart, lineSeries, series } from '../report/chart.ts'
import { figure, html, page, tile, valueTable } from '../report/page.ts'
import { type RangeTestOptions, type Suggestion, smoothed, type Trial } from './range-test.ts'

/** The report of a range test: a plot of its losses, and the suggested learning rates. */
export function rangeTestReport(
  config: Config,
  range: RangeTestOptions,
  trials: readonly Trial[],
  suggestions: readonly Suggestion[],
): string {
  const { name } = ruleOf(config)
  const title = `Learning-rate range test of ${name} on ${config.data}`
  return page(title, [
    html`<h1>${title}</h1>
${
  suggestions.length === 0
    ? html`<p>The loss never fell; start the range lower.</p>`
    : html`<div class="tiles">${suggestions.map(({ name, rate, rule }) => tile(formatNumber(rate), `${name}: ${rule}`))}</div>`
}
<div class="grid wide">${figure(
      'Loss by learning rate',
      chart(rangeChart(range, trials, suggestions), 'Loss by learning rate', {
        width: 640,
        height: 380,
      }),
      'Thin: loss of every step. Thick: exponential moving average. Vertical: suggested rates.',
    )}</div>
<details><summary>Configuration</summary>${valueTable(Object.entries(config))}</details>`,
  ])
}

function rangeChart(
  { from, to }: RangeTestOptions,
  trials: readonly Trial[],
  suggestions: readonly Suggestion[],
): ChartOption {
  const smooth = smoothed(trials)
  const losses = smooth.map(({ loss }) => loss)
  const [low, high] = [Math.min(...losses), Math.max(...losses.slice(0, 10))]
  const [bottom, top] = [
    Math.floor(10 * (low - 0.2 * (high - low))) / 10,
    Math.ceil(10 * (high + 0.5 * (high - low))) / 10,
  ]
  const points = (losses: readonly Trial[]) => losses.map(({ rate, loss }) => [rate, loss] as const)
  return {
    grid: { left: 56, right: 20, top: 16, bottom: 44 },
    xAxis: {
      type: 'log',
      name: 'learning rate',
      nameLocation: 'middle',
      nameGap: 28,
      min: from,
      max: to,
      axisLabel: { formatter: (rate: number) => rate.toExponential(0) },
    },
    yAxis: {
      type: 'value',
      name: 'training loss',
      nameLocation: 'middle',
      nameGap: 36,
      min: bottom,
      max: top,
    },
    hover: { x: (rate) => `learning rate ${formatNumber(rate)}` },
    series: [
      {
        ...lineSeries('loss of a step', 0, points(trials)),
        symbol: 'none',
        lineStyle: { color: series(0), width: 1, opacity: 0.35 },
      },
      { ...lineSeries('average', 0, points(smooth)), symbol: 'none' },
      ...suggestions.map(({ name, rate }, i) => ({
        ...lineSeries(name, i + 1, [
          [rate, bottom],
          [rate, top],
        ]),
        symbol: 'none',
      })),
    ],
  }
}
