import type { Config } from '../config/config.ts'
import { learningRateOf } from '../config/optimizer.ts'
import { ruleOf } from '../config/rule.ts'
import {
  accuracyInterval,
  balancedAccuracy,
  type ClassMetrics,
  classMetrics,
} from '../evaluation/metrics.ts'
import type { ConfusedPair, EvaluationSummary } from '../evaluation/summary.ts'
import {
  formatCount,
  formatDuration,
  formatInterval,
  formatNumber,
  formatPercent,
} from '../format.ts'
import type { Environment } from '../run/environment.ts'
import {
  bestEpoch,
  type EpochRow,
  type FrictionReading,
  frictionDistances,
  type History,
  plannedEpochsAt,
  stopReason,
  trainingSeconds,
} from '../run/history.ts'
import type { RunFolder } from '../run/run-folder.ts'
import { chart } from './chart.ts'
import { confusionFigures } from './confusion.ts'
import { distanceQuantile, distributionChart, frictionChart } from './friction-charts.ts'
import { figure, type Html, html, type PageContent, page, tile, valueTable } from './page.ts'
import { accuracyChart, lossChart, rateChart } from './run-charts.ts'
import { type Column, dataTable } from './table.ts'

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
  const { title, content } = runContent(await readReportData(folder))
  await folder.save('report.html', page(title, content))
  return folder.pathOf('report.html')
}

/** Reads what the report of a run shows. */
export const readReportData = async (folder: RunFolder): Promise<ReportData> => ({
  config: await folder.config(),
  environment: await folder.environment(),
  history: await folder.history(),
  evaluation: await folder.evaluation(),
})

/** The sections of the report of a run. */
export function runContent({ config, environment, history, evaluation }: ReportData): PageContent {
  const { data } = environment
  const { name } = ruleOf(config)
  const network = config.backbone ?? config.architecture
  const title = `${name} on ${data.name}`
  const stepsPerEpoch = Math.floor(data.train / config.batch)
  const content = [
    html`<h1>${title}</h1>
<p class="muted">${network}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} validation images of ${data.classes.length} classes; started ${environment.began.slice(0, 16).replace('T', ' ')} UTC.</p>`,
    tiles(config, history, evaluation, data.validation),
    warningList(data.warnings),
    ...notes(config, history),
    html`<h2>Training</h2><div class="grid">
${figure('Loss', chart(lossChart(history, stepsPerEpoch), 'Loss by epoch'), 'Training: before each update, with label smoothing, mixup and class weights. Validation: after each epoch, without.')}
${figure('Accuracy', chart(accuracyChart(history), 'Accuracy by epoch'))}
${figure('Learning rate', chart(rateChart(ratesOf(config, history, stepsPerEpoch)), 'Learning rate by epoch'))}
</div>`,
    ...(history.epochs.length > 0 ? [epochTable(history, data)] : []),
    ...(evaluation ? [classTable(evaluation), confusions(evaluation)] : []),
    ...(history.friction.length > 0 ? [friction(config, history.friction, stepsPerEpoch)] : []),
    html`<h2>Environment</h2>
${valueTable([...environmentRows(environment)])}
<details><summary>Configuration</summary>${valueTable(Object.entries(config))}</details>`,
  ]
  return { title, content }
}

/** The warnings about a data set, as a list. */
export const warningList = (
  warnings: readonly string[] = [],
  title = 'Warnings about the data',
): Html =>
  warnings.length === 0
    ? html``
    : html`<div class="card"><h3>${title}</h3><ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`

function tiles(
  config: Config,
  history: History,
  evaluation: EvaluationSummary | undefined,
  images: number,
): Html {
  const { epochs } = history
  const last = epochs[epochs.length - 1]
  if (!last || !evaluation) return html`<p>No epoch is complete yet.</p>`
  const speed = epochs.reduce((sum, row) => sum + row.imagesPerSecond, 0) / epochs.length
  const { matrix, classes, epoch } = evaluation
  const balanced = balancedAccuracy(classMetrics(matrix, classes))
  const interval = (accuracy: number): string => formatInterval(accuracyInterval(accuracy, images))
  return html`<div class="tiles">
${tile(formatPercent(evaluation.top1), `best top-1, epoch ${epoch} (${interval(evaluation.top1)})`)}
${tile(formatPercent(last.top1), `top-1 after epoch ${last.epoch} of ${config.epochs} (${interval(last.top1)})`)}
${classes.length > 5 ? tile(formatPercent(last.top5), `top-5 after the last epoch (${interval(last.top5)})`) : ''}
${tile(formatPercent(balanced), `balanced accuracy, the mean recall of the classes, epoch ${epoch}`)}
${tile(formatDuration(trainingSeconds(history)), 'training time')}
${tile(speed.toFixed(0), 'training images per second')}
</div>
<p class="muted">In parentheses: 95 % intervals of the sampling error of ${formatCount(images)} validation images (Wilson).</p>`
}

function epochTable(
  history: History,
  { classes: { length: classes }, validation: images }: Environment['data'],
): Html {
  const best = bestEpoch(history)
  const hasTop5 = classes > 5
  const columns: readonly Column<EpochRow>[] = [
    {
      name: 'epoch',
      text: (row) => `${row === best ? '★ ' : ''}${row.epoch}`,
      value: ({ epoch }) => epoch,
    },
    { name: 'top-1', ...accuracyCell(({ top1 }) => top1, images) },
    { name: 'validation loss', ...numberCell((row) => row.validationLoss, lossText) },
    { name: 'training loss', ...numberCell((row) => row.trainLoss, lossText) },
    { name: 'training accuracy', ...numberCell((row) => row.trainAccuracy, formatPercent) },
    ...(hasTop5 ? [{ name: 'top-5', ...accuracyCell(({ top5 }) => top5, images) }] : []),
    { name: 'learning rate', ...numberCell((row) => row.learningRate, formatNumber) },
    { name: 'time', ...numberCell((row) => row.seconds, formatDuration) },
  ]
  return html`<h2>Epochs</h2>${dataTable(columns, history.epochs, (row) => row === best)}
<p class="muted">★ is the best epoch: the first with the highest top-1 accuracy. Small: 95 % intervals.</p>`
}

const numberCell = (
  value: (row: EpochRow) => number,
  format: (value: number) => string,
): Omit<Column<EpochRow>, 'name'> => ({ text: (row) => format(value(row)), value })

const accuracyCell = (
  value: (row: EpochRow) => number,
  images: number,
): Omit<Column<EpochRow>, 'name'> => ({ text: (row) => withInterval(value(row), images), value })

const lossText = (loss: number): string => loss.toFixed(3)

/** An accuracy with its interval, which has fewer digits for a few images. */
const withInterval = (accuracy: number, images: number): Html =>
  html`${formatPercent(accuracy)} <small>${formatInterval(accuracyInterval(accuracy, images), images < 300 ? 0 : 1)}</small>`

/** The metrics of every class, the worst first. */
function classTable({ matrix, classes, epoch }: EvaluationSummary): Html {
  const share = (value: number | undefined): string =>
    value === undefined ? '–' : formatPercent(value)
  const columns: readonly Column<ClassMetrics>[] = [
    { name: 'class', text: ({ name }) => name },
    {
      name: 'images',
      text: ({ support }) => formatCount(support),
      value: ({ support }) => support,
    },
    { name: 'precision', text: (row) => share(row.precision), value: (row) => row.precision ?? -1 },
    {
      name: 'recall',
      text: ({ recall, support }) => (recall === undefined ? '–' : withInterval(recall, support)),
      value: ({ recall }) => recall ?? -1,
    },
    { name: 'F1', text: ({ f1 }) => share(f1), value: ({ f1 }) => f1 ?? -1 },
  ]
  const worstFirst = classMetrics(matrix, classes).toSorted((a, b) => (a.f1 ?? -1) - (b.f1 ?? -1))
  return html`<h2>Classes</h2>${dataTable(columns, worstFirst)}
<p class="muted">With the weights of epoch ${epoch}. Recall is the accuracy of a class, with its 95 % interval; F1 is the harmonic mean of precision and recall.</p>`
}

/** Why the training ended early, and where its number of epochs changed. */
function* notes(config: Config, history: History): Iterable<Html> {
  const reason = stopReason(history, config)
  if (reason !== undefined) yield html`<p>${reason}</p>`
  for (const { epoch, step, from, to } of history.epochsChanges ?? [])
    yield html`<p>The number of epochs was changed from ${from} to ${to} after epoch ${epoch}, at step ${step}. From there on, the learning rate is that of ${config.schedule} over ${to} epochs.</p>`
  for (const { step, from, to } of history.providerChanges ?? [])
    yield html`<p>The provider was changed from ${from} to ${to} at step ${step}: results differ from those of one provider by rounding.</p>`
  for (const { step, from, to } of history.threadsChanges ?? [])
    yield html`<p>The threads were changed from ${from} to ${to} at step ${step}: results differ from those of one number of threads by rounding.</p>`
}

function ratesOf(
  config: Config,
  history: History,
  stepsPerEpoch: number,
): readonly (readonly [number, number])[] {
  const schedules = new Map(
    [config.epochs, ...(history.epochsChanges ?? []).map(({ from }) => from)].map((epochs) => [
      epochs,
      learningRateOf({ ...config, epochs }, stepsPerEpoch),
    ]),
  )
  const { length } = history.losses
  const stride = Math.max(Math.ceil(length / 240), 1)
  return Array.from({ length: Math.ceil(length / stride) }, (_, i) => {
    const step = i * stride
    const rate = schedules.get(plannedEpochsAt(history, config, step))?.(step, history) ?? 0
    return [step / stepsPerEpoch, rate] as const
  })
}

const confusions = ({ confused, ...evaluation }: EvaluationSummary): Html =>
  html`<h2>Errors</h2><div class="grid wide">
${confusionFigures(evaluation)}
<div class="card pairs"><h3>Most confused pairs</h3>${
    confused.length === 0 ? html`<p class="muted">There are no errors.</p>` : confused.map(pair)
  }</div></div>`

const pair = ({ actual, predicted, count, examples }: ConfusedPair): Html =>
  html`<div><p><b>${actual}</b> classified as <b>${predicted}</b>, ${count} times</p>
<div class="images">${examples.map(
    ({ file, probability, thumbnail }) =>
      html`<figure><img src="${thumbnail}" alt="${file}" title="${file}" width="76" height="76"><figcaption class="muted">${formatPercent(probability, 0)}</figcaption></figure>`,
  )}</div></div>`

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
<p>The mean of ξ over all parameters and readings is <b>${mean.toFixed(6)}</b>. At the last reading |ξ − ½| is ${below(half)} for half of the parameters, and ${below(most)} for 99 % of them. Where ξ is ½, an update of ${ruleOf(config).name} equals one without friction at half the learning rate.</p>
<div class="grid wide">${figure(
    '|ξ − ½| over time',
    chart(frictionChart(readings, stepsPerEpoch), 'Distance of the friction from one half', {
      width: 460,
      height: 280,
    }),
    'The stronger the colour, the more parameters; the line is the median. Logarithmic scale; the lowest band holds all distances below 10⁻⁷, which float32 values near ½ hardly resolve.',
  )}
${figure(
  '|ξ − ½| at the end of each epoch',
  chart(distributionChart(readings, stepsPerEpoch), 'Distribution of the friction', {
    width: 460,
    height: 280,
  }),
  'Shares of all parameters, two bins per decade.',
)}</div>`
}

function* environmentRows(environment: Environment): Iterable<readonly [string, unknown]> {
  const { data, engine, provider, node, system, processor, cores, classWeights } = environment
  yield ['data', data.name]
  yield ['SHA-256 of the data', data.hash]
  if (classWeights !== undefined)
    yield [
      'class weights',
      data.classes.map((name, i) => `${name} ${formatNumber(classWeights[i])}`).join(', '),
    ]
  yield ['engine', `${engine}${provider ? ` on ${provider}` : ''}, Node ${node}`]
  yield ['machine', `${processor}, ${cores} cores, ${system}`]
}
