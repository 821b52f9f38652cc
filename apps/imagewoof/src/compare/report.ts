import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import { formatCount, formatDuration, formatPercent } from '../format.ts'
import { type ChartOption, chart, ink, muted, series, surface } from '../report/chart.ts'
import { figure, type Html, html, page, valueTable } from '../report/page.ts'
import type { EpochRow } from '../run/history.ts'
import type { Comparison, FinishedRun } from './comparison.ts'
import { type ContenderSummary, summarizeContenders } from './summary.ts'

/**
 * Writes report.html of a comparison from its finished runs.
 *
 * @returns the path of the report.
 */
export async function writeComparisonReport(comparison: Comparison): Promise<string> {
  const runs = await comparison.finishedRuns()
  const failed = await comparison.failedRuns()
  const { contenders, seeds } = comparison.plan
  const names = contenders.map(({ name }) => name)
  const summaries = summarizeContenders(runs, names)
  const { data, engine, node, system, processor, cores } = await comparison.environment()
  const [{ config }] = contenders
  const isSingle = names.length === 1
  const title = `${isSingle ? names[0] : `${names.length} optimizers`} on ${data.name}`
  const text = page(title, [
    html`<h1>${title}</h1>
<p class="muted">${config.backbone ?? config.architecture}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} validation images of ${data.classes.length} classes; ${config.epochs} epochs with ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}${runs.length < comparison.runCount ? html`, ${runs.length} of ${comparison.runCount} runs finished` : ''}.</p>
${isSingle ? '' : html`<p>With each seed, all contenders start from the same weights and train on the same batches. The control is Adam at half the learning rate, which diffGrad equals where ξ is ½.</p>`}`,
    ...(summaries.length > 0
      ? results(summaries, runs, names)
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
  ])
  const path = join(comparison.path, 'report.html')
  await replaceFile(path, Buffer.from(text))
  return path
}

const results = (
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  names: readonly string[],
): readonly Html[] => [
  html`<h2>Result</h2><div class="card scroll">${resultTable(summaries, names)}</div>`,
  html`<h2>Runs</h2><div class="grid wide">
${figure(
  'Every run',
  chart(dotsChart(summaries), 'Final accuracy of every run', {
    width: 460,
    height: 70 + 32 * summaries.length,
  }),
  'Dots are seeds, bars their means. Each run has its own report in runs/.',
)}
${figure(
  'Validation accuracy (%)',
  chart(
    epochsChart(runs, names, ({ top1 }) => 100 * top1),
    'Validation accuracy by epoch',
    { width: 460, height: 300 },
  ),
  legend(names),
)}
${figure(
  'Validation loss',
  chart(
    epochsChart(runs, names, ({ validationLoss }) => validationLoss),
    'Validation loss by epoch',
    { width: 460, height: 300 },
  ),
  legend(names),
)}
${figure(
  'Training loss',
  chart(
    epochsChart(runs, names, ({ trainLoss }) => trainLoss),
    'Training loss by epoch',
    { width: 460, height: 300 },
  ),
  legend(names),
)}
</div>`,
]

const swatch = (i: number): Html =>
  html`<span class="swatch" style="background: ${series(i)}"></span>`

const legend = (names: readonly string[]): Html =>
  html`${names.map((name, i) => html`<span class="key">${swatch(i)}${name}</span> `)}`

const pointsText = (share: number): string =>
  `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`

const deviationText = (share: number): string =>
  Number.isNaN(share) ? '' : ` ± ${(100 * share).toFixed(1)}`

function resultTable(summaries: readonly ContenderSummary[], names: readonly string[]): Html {
  const best = Math.max(...summaries.map(({ mean }) => mean))
  const rows = summaries.map(
    ({ contender, top1, mean, deviation, difference, validationLoss, seconds, friction }, i) => {
      const shown = `${formatPercent(mean)}${deviationText(deviation)}`
      const differenceText =
        i === 0
          ? '–'
          : `${pointsText(difference.mean)}${deviationText(difference.deviation)} (${difference.wins} of ${top1.length} better)`
      return html`<tr><td class="name">${swatch(names.indexOf(contender))}${contender}</td>
<td class="number">${mean === best ? html`<b>${shown}</b>` : shown}</td>
<td class="number">${differenceText}</td>
<td class="number">${validationLoss.toFixed(3)}</td>
<td class="number">${friction === undefined ? '–' : friction.toFixed(6)}</td>
<td class="number">${formatDuration(seconds)}</td></tr>`
    },
  )
  return html`<table><tr><th>optimizer</th><th class="number">top-1, mean ± deviation</th><th class="number">points against ${names[0]}, paired</th><th class="number">validation loss</th><th class="number">mean ξ</th><th class="number">time</th></tr>${rows}</table>`
}

/** The accuracy of every run as a dot, and the mean of each contender as a bar. */
const dotsChart = (summaries: readonly ContenderSummary[]): ChartOption => ({
  grid: {
    // echarts cannot measure text on the server, so margins follow its length.
    left: 24 + 7.5 * Math.max(...summaries.map(({ contender }) => contender.length)),
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
    data: summaries.map(({ contender }) => contender),
    axisTick: { show: false },
    axisLabel: { color: ink, interval: 0 },
  },
  series: [
    {
      type: 'scatter',
      symbolSize: 9,
      data: summaries.flatMap(({ top1 }, i) =>
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
      data: summaries.map(({ mean }, i) => ({
        value: [100 * mean, i],
        itemStyle: { color: series(i) },
      })),
    },
  ],
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
