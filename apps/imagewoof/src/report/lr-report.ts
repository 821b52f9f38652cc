import type { Config } from '../config/config.ts'
import { type Range, smoothed, type Trial } from '../lr-find/range-test.ts'
import { rules } from '../recipe/rules.ts'
import { type ChartOption, chart, muted, series } from './chart.ts'
import { html } from './html.ts'
import { short } from './numbers.ts'
import { facts, figure, page } from './page.ts'

/** A page that shows the losses of a range test, and what is suggested. */
export function rangeReport(
  config: Config,
  range: Range,
  trials: readonly Trial[],
  suggested: number | undefined,
): string {
  const { name } = rules[config.optimizer]
  const title = `A learning rate for ${name} on ${config.data}`
  return page(title, [
    html`<h1>${title}</h1>
<p>${
      suggested === undefined
        ? 'The loss never fell; the range should begin lower.'
        : html`Suggested: <b>${short(suggested)}</b>, where the loss fell fastest.`
    }</p>
<div class="grid wide">${figure(
      'Loss by learning rate',
      chart(rangeChart(range, trials, suggested), 'Loss by learning rate', {
        width: 640,
        height: 380,
      }),
      'Thin: every step. Thick: averaged over the steps before. The dashed line is the suggestion.',
    )}</div>
<details><summary>Configuration</summary>${facts(Object.entries(config))}</details>`,
  ])
}

function rangeChart(
  { from, to }: Range,
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
  const points = (some: readonly Trial[]) => some.map(({ rate, loss }) => [rate, loss])
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
