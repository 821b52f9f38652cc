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
import { figure, type Html, html, type PageContent, valueTable } from '../report/page.ts'
import { warningList } from '../report/run-report.ts'
import type { EpochRow } from '../run/history.ts'
import type { Comparison, FinishedRun } from './comparison.ts'
import type { ComparisonPlan } from './contenders.ts'
import {
  type ContenderSummary,
  conclusion,
  type Difference,
  formatP,
  formatPoints,
  formatPointsInterval,
  isClaim,
  noiseSentences,
  seedNoise,
  summarizeContenders,
  verdictDescription,
  winnerOf,
} from './summary.ts'
import { type Trial, trialText, tuningWarnings } from './tuning.ts'

/** The sections of the report of a comparison. */
export async function comparisonContent(comparison: Comparison): Promise<PageContent> {
  const runs = await comparison.finishedRuns()
  const failed = await comparison.failedRuns()
  const { contenders, seeds } = comparison.plan
  const trials = await comparison.trials()
  const names = contenders.map(({ name }) => name)
  const { data, engine, node, system, processor, cores } = await comparison.environment()
  const summaries = summarizeContenders(runs, names, data.validation)
  const [{ config }] = contenders
  const isSingle = names.length === 1
  const title = `${isSingle ? names[0] : `${names.length} optimizers`} on ${data.name}`
  const content = [
    html`<h1>${title}</h1>
<p class="muted">${config.backbone ?? config.architecture}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} validation images of ${data.classes.length} classes; ${config.epochs} epochs with ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}${runs.length < comparison.runCount ? html`, ${runs.length} of ${comparison.runCount} runs finished` : ''}.</p>
${
  isSingle
    ? ''
    : html`<p>With each seed, all contenders start from the same weights and train on the same batches. ${
        trials.length > 0
          ? 'Each has a learning rate of its own, tuned on training images.'
          : 'The control is Adam at half the learning rate: where ξ is ½, the update of diffGrad, apart from weight decay.'
      }</p>`
}`,
    warningList(data.warnings),
    ...(summaries.length > 0
      ? results(summaries, runs, names, data.validation)
      : [html`<p>No run is finished yet.</p>`]),
    ...tuningSection(comparison.plan, trials),
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
  html`<h2>Result</h2><p>${conclusion(summaries, runs, images) ?? ''}</p><div class="card scroll">${resultTable(summaries, names, winnerOf(summaries, runs, images), images)}</div>
${noiseSentences(seedNoise(summaries)).map((sentence) => html`<p>${sentence}</p>`)}
${summaries.length < 2 ? '' : html`<p class="muted">${verdictDescription}</p>`}`,
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
      return html`<tr class="${contender === winner ? 'best' : ''}"><td class="name">${lineSample(names.indexOf(contender))} ${contender === winner ? '★ ' : ''}${contender}</td>
<td>${difference ? verdictCell(difference) : '–'}</td>
<td class="number">${shown}<br><small>${formatInterval(accuracyInterval(mean, images))}</small></td>
<td class="number">${difference ? differenceCell(difference) : '–'}</td>
<td class="number">${validationLoss.toFixed(3)}</td>
<td class="number">${friction === undefined ? '–' : friction.toFixed(6)}</td>
<td class="number">${formatDuration(seconds)}</td></tr>`
    },
  )
  return html`<table><tr><th>optimizer</th><th>against ${names[0]}<br><small>corrected p</small></th><th class="number">top-1, mean ± deviation<br><small>95 % interval of ${formatCount(images)} images</small></th><th class="number">points against ${names[0]}, paired<br><small>95 % interval, all at once</small></th><th class="number">validation loss</th><th class="number">mean ξ</th><th class="number">time</th></tr>${rows}</table>`
}

const differenceCell = ({ mean, deviation, interval, wins, seeds }: Difference): Html =>
  html`${formatPoints(mean)}${deviationText(deviation)} (${wins} of ${seeds} better)${interval ? html`<br><small>${formatPointsInterval(interval)}</small>` : ''}`

function verdictCell({ verdict, pValue }: Difference): Html {
  return html`${isClaim(verdict) ? html`<b>${verdict}</b>` : verdict}${pValue === undefined ? '' : html`<br><small>${formatP(pValue)}</small>`}`
}

/** The held-out accuracy of every learning rate, and the chosen one; empty without tuning. */
function tuningSection(
  { contenders, tuned = false }: ComparisonPlan,
  trials: readonly Trial[],
): readonly Html[] {
  if (trials.length === 0) return []
  const rows = contenders.map(({ name, config }, i) => {
    const cells = trials
      .filter(({ contender }) => contender === name)
      .map((trial) => {
        const isBest = tuned && trial.rate === config.learningRate
        const text = isBest ? html`<b>★ ${trialText(trial)}</b>` : trialText(trial)
        return html`<td class="number">${text}<br><small>${trial.rate}</small></td>`
      })
    return html`<tr><td class="name">${lineSample(i)} ${name}</td>${cells}</tr>`
  })
  const columns = Math.max(...contenders.map(({ rates = [] }) => rates.length))
  return [
    html`<h2>Learning rates</h2>
<p>${tuned ? 'Chosen' : 'To be chosen'} by the accuracy after the last epoch on held-out training images, with a seed that no run has. No validation image was seen.</p>
<div class="card scroll"><table><tr><th>optimizer</th><th class="number" colspan="${columns}">held-out top-1<br><small>learning rate</small></th></tr>${rows}</table></div>`,
    warningList(
      tuned ? tuningWarnings(contenders, trials) : [],
      'Warnings about the learning rates',
    ),
  ]
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
