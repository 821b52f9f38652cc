import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { accuracyInterval } from '../evaluation/metrics.ts'
import { formatCount, formatDuration, formatInterval, formatPercent } from '../format.ts'
import {
  type ChartOption,
  chart,
  ink,
  lineSample,
  lineSeries,
  series,
  surface,
} from '../report/chart.ts'
import { figure, type Html, html, type PageContent, page, valueTable } from '../report/page.ts'
import { warningList } from '../report/run-report.ts'
import type { EpochRow } from '../run/history.ts'
import type { Comparison, FinishedRun } from './comparison.ts'
import { significanceLevel, testDescription } from './significance.ts'
import { type ContenderSummary, noiseText, summarizeContenders, winnerOf } from './summary.ts'

/**
 * Writes report.html of a comparison from its finished runs.
 *
 * @returns the path of the report.
 */
export async function writeComparisonReport(comparison: Comparison): Promise<string> {
  const { title, content } = await comparisonContent(comparison)
  const path = join(comparison.path, 'report.html')
  await replaceFile(path, Buffer.from(page(title, content)))
  return path
}

/** The sections of the report of a comparison. */
export async function comparisonContent(comparison: Comparison): Promise<PageContent> {
  const runs = await comparison.finishedRuns()
  const failed = await comparison.failedRuns()
  const { contenders, seeds } = comparison.plan
  const names = contenders.map(({ name }) => name)
  const { data, engine, node, system, processor, cores } = await comparison.environment()
  const summaries = summarizeContenders(runs, names, data.validation)
  const [{ config }] = contenders
  const isSingle = names.length === 1
  const title = `${isSingle ? names[0] : `${names.length} optimizers`} on ${data.name}`
  const content = [
    html`<h1>${title}</h1>
<p class="muted">${config.backbone ?? config.architecture}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} validation images of ${data.classes.length} classes; ${config.epochs} epochs with ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}${runs.length < comparison.runCount ? html`, ${runs.length} of ${comparison.runCount} runs finished` : ''}.</p>
${isSingle ? '' : html`<p>With each seed, all contenders start from the same weights and train on the same batches. The control is Adam at half the learning rate, which diffGrad equals where ξ is ½.</p>`}`,
    warningList(data.warnings),
    ...(summaries.length > 0
      ? results(summaries, runs, names, data.validation)
      : [html`<p>No run is finished yet.</p>`]),
    ...failed.map(
      ({ contender, seed, reason }) => html`<p>${contender}, seed ${seed}, failed: ${reason}</p>`,
    ),
    html`<h2>Environment</h2>
${valueTable([
  ['data', data.name],
  ['SHA-256 of the data', data.hash],
  ['engine', `${engine}, Node ${node}`],
  ['machine', `${processor}, ${cores} cores, ${system}`],
  ['seeds', seeds.join(', ')],
])}
<details><summary>Configuration of the first contender</summary>${valueTable(Object.entries(config))}</details>`,
  ]
  return { title, content }
}

const results = (
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  names: readonly string[],
  images: number,
): readonly Html[] => [
  html`<h2>Result</h2>${verdict(summaries, runs, images)}<div class="card scroll">${resultTable(summaries, names, winnerOf(summaries, runs, images), images)}</div>${summaries.length < 2 ? '' : html`<p class="muted">${testDescription}</p>`}`,
  html`<h2>Runs</h2><div class="grid wide">
${figure(
  'Every run',
  chart(dotsChart(summaries), 'Final accuracy of every run', {
    width: 500,
    height: 60 + 46 * summaries.length,
  }),
  'Dots are seeds, bars their means. Each run has its own report in runs/.',
)}
${byEpoch(runs, names, 'Validation accuracy (%)', ({ top1 }) => 100 * top1)}
${byEpoch(runs, names, 'Validation loss', ({ validationLoss }) => validationLoss)}
${byEpoch(runs, names, 'Training loss', ({ trainLoss }) => trainLoss)}
</div>`,
]

/** A chart of a value by epoch. */
const byEpoch = (
  runs: readonly FinishedRun[],
  names: readonly string[],
  title: string,
  value: (row: EpochRow) => number,
): Html =>
  figure(
    title,
    chart(epochsChart(runs, names, value), `${title} by epoch`, { width: 500, height: 300 }),
    runs.length > names.length ? 'Thin: runs. Thick: their mean.' : '',
  )

/** Whether there is a winner. */
function verdict(
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  images: number,
): Html | string {
  if (summaries.length < 2) return ''
  const winner = winnerOf(summaries, runs, images)
  return html`<p>${
    winner === undefined
      ? 'No winner: the best mean differs from at least one other within the noise.'
      : html`<b>${winner}</b> is best: it differs from every other beyond the noise.`
  }</p>`
}

const pointsText = (share: number): string =>
  `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`

const deviationText = (share: number): string =>
  Number.isNaN(share) ? '' : ` ± ${(100 * share).toFixed(1)}`

function resultTable(
  summaries: readonly ContenderSummary[],
  names: readonly string[],
  winner: string | undefined,
  images: number,
): Html {
  const rows = summaries.map(
    ({ contender, mean, deviation, difference, validationLoss, seconds, friction }) => {
      const shown = `${formatPercent(mean)}${deviationText(deviation)}`
      const { pValue, seeds, wins } = difference
      const differenceText =
        pValue === undefined
          ? '–'
          : html`${pointsText(difference.mean)}${deviationText(difference.deviation)} (${wins} of ${seeds} better)<br><small>${pValue < significanceLevel ? html`<b>${noiseText(pValue)}</b>` : noiseText(pValue)}</small>`
      return html`<tr class="${contender === winner ? 'best' : ''}"><td class="name">${lineSample(names.indexOf(contender))} ${contender === winner ? '★ ' : ''}${contender}</td>
<td class="number">${shown}<br><small>${formatInterval(accuracyInterval(mean, images))}</small></td>
<td class="number">${differenceText}</td>
<td class="number">${validationLoss.toFixed(3)}</td>
<td class="number">${friction === undefined ? '–' : friction.toFixed(6)}</td>
<td class="number">${formatDuration(seconds)}</td></tr>`
    },
  )
  return html`<table><tr><th>optimizer</th><th class="number">top-1, mean ± deviation<br><small>95 % interval of ${formatCount(images)} images</small></th><th class="number">points against ${names[0]}, paired</th><th class="number">validation loss</th><th class="number">mean ξ</th><th class="number">time</th></tr>${rows}</table>`
}

/** The accuracy of every run as a dot, and the mean of each contender as a bar, below its name. */
export const dotsChart = (
  summaries: readonly Pick<ContenderSummary, 'contender' | 'top1' | 'mean'>[],
): ChartOption => ({
  grid: { left: 12, right: 24, top: 8, bottom: 40 },
  legend: 'none',
  hover: { x: (percent) => formatPercent(percent / 100), y: () => '' },
  xAxis: {
    type: 'value',
    scale: true,
    boundaryGap: ['5%', '5%'],
    name: 'top-1 after the last epoch (%)',
    nameLocation: 'middle',
    nameGap: 24,
    splitNumber: 4,
  },
  yAxis: {
    type: 'category',
    inverse: true,
    data: summaries.map(({ contender }) => contender),
    axisTick: { show: false },
    axisLabel: {
      inside: true,
      margin: 4,
      verticalAlign: 'bottom',
      padding: [0, 0, 8, 0],
      color: ink,
      interval: 0,
    },
    z: 3,
  },
  series: summaries.flatMap(({ contender, top1, mean }, i) => [
    {
      type: 'scatter',
      name: contender,
      symbolSize: 9,
      data: top1.map((share) => [100 * share, i]),
      itemStyle: { color: series(i), opacity: 0.75, borderColor: surface, borderWidth: 1 },
      lineStyle: { color: series(i) },
    },
    {
      type: 'scatter',
      symbol: 'rect',
      symbolSize: [3, 20],
      data: [[100 * mean, i]],
      itemStyle: { color: series(i) },
    },
  ]),
})

/** A value by epoch: runs as thin lines, means of contenders as thick ones. */
function epochsChart(
  runs: readonly FinishedRun[],
  contenders: readonly string[],
  value: (row: EpochRow) => number,
): ChartOption {
  const lines = contenders.flatMap((contender, i) => {
    const own = runs.filter((run) => run.contender === contender)
    const points = own.map(({ history }) => history.epochs.map((row) => [row.epoch, value(row)]))
    const mean = (points[0] ?? []).map(
      ([epoch], j) =>
        [epoch, points.reduce((sum, run) => sum + run[j][1], 0) / points.length] as const,
    )
    const named = lineSeries(contender, i, mean)
    return [
      ...(points.length > 1
        ? points.map((data) => ({
            type: 'line',
            data,
            symbol: 'none',
            lineStyle: { ...named.lineStyle, width: 1, opacity: 0.3 },
          }))
        : []),
      named,
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
    },
    yAxis: { type: 'value', scale: true },
    series: lines,
  }
}
