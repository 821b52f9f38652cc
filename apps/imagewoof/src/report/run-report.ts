import { rules } from '../config/choices.ts'
import type { Config } from '../config/config.ts'
import { learningRateOf } from '../config/optimizer.ts'
import type { ConfusedPair, EvaluationSummary } from '../evaluation/summary.ts'
import { formatCount, formatDuration, formatNumber, formatPercent } from '../format.ts'
import type { Environment } from '../run/environment.ts'
import {
  type FrictionReading,
  frictionDistances,
  type History,
  trainingSeconds,
} from '../run/history.ts'
import type { RunFolder } from '../run/run-folder.ts'
import { chart } from './chart.ts'
import { distanceQuantile, distributionChart, frictionChart } from './friction-charts.ts'
import { figure, type Html, html, page, tile, valueTable } from './page.ts'
import { accuracyChart, confusionChart, lossChart, rateChart } from './run-charts.ts'

interface ReportData {
  readonly config: Config
  readonly environment: Environment
  readonly history: History
  readonly evaluation: EvaluationSummary | undefined
}

/**
 * Writes report.html of a run folder from its other files.
 *
 * @returns the path of the report.
 */
export async function writeRunReport(folder: RunFolder): Promise<string> {
  const data = {
    config: await folder.config(),
    environment: await folder.environment(),
    history: await folder.history(),
    evaluation: await folder.evaluation(),
  }
  await folder.save('report.html', runReport(data))
  return folder.pathOf('report.html')
}

function runReport({ config, environment, history, evaluation }: ReportData): string {
  const { data } = environment
  const { name } = rules[config.optimizer]
  const network = config.backbone ?? config.architecture
  const title = `${name} on ${data.name}`
  const stepsPerEpoch = Math.floor(data.train / config.batch)
  return page(title, [
    html`<h1>${title}</h1>
<p class="muted">${network}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} validation images of ${data.classes.length} classes; started ${environment.began.slice(0, 16).replace('T', ' ')} UTC.</p>`,
    tiles(config, history, evaluation),
    html`<h2>Training</h2><div class="grid">
${figure('Loss', chart(lossChart(history, stepsPerEpoch), 'Loss by epoch'), 'Training: before each update, with label smoothing and mixup. Validation: after each epoch, without.')}
${figure('Accuracy', chart(accuracyChart(history), 'Accuracy by epoch'))}
${figure('Learning rate', chart(rateChart(ratesOf(config, history, stepsPerEpoch)), 'Learning rate by epoch'))}
</div>`,
    ...(evaluation ? [confusions(evaluation)] : []),
    ...(history.friction.length > 0 ? [friction(config, history.friction, stepsPerEpoch)] : []),
    html`<h2>Environment</h2>
${valueTable([...environmentRows(environment)])}
<details><summary>Configuration</summary>${valueTable(Object.entries(config))}</details>`,
  ])
}

function tiles(config: Config, history: History, evaluation: EvaluationSummary | undefined): Html {
  const { epochs } = history
  const last = epochs[epochs.length - 1]
  if (!last || !evaluation) return html`<p>No epoch is complete yet.</p>`
  const speed = epochs.reduce((sum, row) => sum + row.imagesPerSecond, 0) / epochs.length
  return html`<div class="tiles">
${tile(formatPercent(last.top1), `top-1 after epoch ${last.epoch} of ${config.epochs}`)}
${tile(formatPercent(evaluation.top1), `best top-1, epoch ${evaluation.epoch}`)}
${evaluation.classes.length > 5 ? tile(formatPercent(last.top5), 'top-5 after the last epoch') : ''}
${tile(formatDuration(trainingSeconds(history)), 'training time')}
${tile(speed.toFixed(0), 'training images per second')}
</div>`
}

function ratesOf(
  config: Config,
  history: History,
  stepsPerEpoch: number,
): readonly (readonly [number, number])[] {
  const learningRate = learningRateOf(config, stepsPerEpoch)
  const { length } = history.losses
  const stride = Math.max(Math.ceil(length / 240), 1)
  return Array.from({ length: Math.ceil(length / stride) }, (_, i) => {
    const step = i * stride
    return [step / stepsPerEpoch, learningRate(step, history)] as const
  })
}

const confusions = ({ matrix, classes, confused, epoch }: EvaluationSummary): Html =>
  html`<h2>Errors</h2><div class="grid wide">
${figure(
  'Confusion matrix',
  chart(confusionChart(matrix, classes), 'Confusion matrix', { width: 500, height: 480 }),
  `Rows are true classes, columns predicted classes, with the weights of epoch ${epoch}.`,
)}
<div class="card"><h3>Most confused pairs</h3>${
    confused.length === 0 ? html`<p class="muted">There are no errors.</p>` : confused.map(pair)
  }</div></div>`

const pair = ({ actual, predicted, count, examples }: ConfusedPair): Html =>
  html`<p><b>${actual}</b> classified as <b>${predicted}</b>, ${count} times</p>
<div class="images">${examples.map(
    ({ file, probability, thumbnail }) =>
      html`<figure><img src="${thumbnail}" alt="${file}" title="${file}" width="76" height="76"><figcaption class="muted">${formatPercent(probability, 0)}</figcaption></figure>`,
  )}</div>`

function friction(
  config: Config,
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): Html {
  const { histogram } = readings[readings.length - 1]
  const mean = readings.reduce((sum, reading) => sum + reading.histogram.mean, 0) / readings.length
  const half = distanceQuantile(histogram, 0.5)
  const most = distanceQuantile(histogram, 0.99)
  const below = (x: number): string =>
    x === frictionDistances[0] ? `below ${formatNumber(x)}` : `up to ${formatNumber(x)}`
  return html`<h2>Friction</h2>
<p>The mean of ξ over all parameters and readings is <b>${mean.toFixed(6)}</b>. At the last reading |ξ − ½| is ${below(half)} for half of the parameters, and ${below(most)} for 99 % of them. Where ξ is ½, an update of ${rules[config.optimizer].name} equals one without friction at half the learning rate.</p>
<div class="grid wide">${figure(
    '|ξ − ½| over time',
    chart(frictionChart(readings, stepsPerEpoch), 'Distance of the friction from one half', {
      width: 460,
      height: 280,
    }),
    'Darker is more parameters; the line is the median. Logarithmic scale; the lowest band holds all distances below 10⁻⁷, which float32 values near ½ hardly resolve.',
  )}
${figure(
  '|ξ − ½| at the end of each epoch',
  chart(distributionChart(readings, stepsPerEpoch), 'Distribution of the friction', {
    width: 460,
    height: 280,
  }),
  'Shares of all parameters, two bins per decade. The opaque line is the last epoch.',
)}</div>`
}

function* environmentRows(environment: Environment): Iterable<readonly [string, unknown]> {
  const { data, engine, node, system, processor, cores } = environment
  yield ['data', data.name]
  yield ['SHA-256 of the data', data.hash]
  yield ['engine', `${engine}, Node ${node}`]
  yield ['machine', `${processor}, ${cores} cores, ${system}`]
}
