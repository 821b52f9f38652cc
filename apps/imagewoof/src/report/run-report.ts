import type { Config } from '../config/config.ts'
import { learningRateOf } from '../recipe/learning-rate.ts'
import { rules } from '../recipe/rules.ts'
import type { Environment } from '../run/environment.ts'
import type { ConfusedPair, Judgement } from '../run/judgement.ts'
import type { RunFolder } from '../run/run-folder.ts'
import { distances } from '../training/friction.ts'
import type { FrictionReading, History } from '../training/history.ts'
import { durationText } from '../training/progress.ts'
import { chart } from './chart.ts'
import { confusionChart } from './charts/confusion.ts'
import { accuracyChart, lossChart, rateChart } from './charts/curves.ts'
import { distanceQuantile, frictionChart, spreadChart } from './charts/friction.ts'
import { type Html, html } from './html.ts'
import { percent, short, whole } from './numbers.ts'
import { facts, figure, page, tile } from './page.ts'

/** What a report is made from. */
interface Material {
  readonly config: Config
  readonly environment: Environment
  readonly history: History
  readonly judgement: Judgement | undefined
}

/** Makes report.html of a run folder from what lies in it. */
export async function writeRunReport(folder: RunFolder): Promise<string> {
  const material = {
    config: await folder.config(),
    environment: await folder.environment(),
    history: await folder.history(),
    judgement: await folder.judgement(),
  }
  await folder.save('report.html', runReport(material))
  return folder.pathOf('report.html')
}

function runReport({ config, environment, history, judgement }: Material): string {
  const { data } = environment
  const { name } = rules[config.optimizer]
  const network = config.backbone ?? config.architecture
  const title = `${name} on ${data.name}`
  const stepsPerEpoch = Math.floor(data.train / config.batch)
  return page(title, [
    html`<h1>${title}</h1>
<p class="muted">${network}, ${config.size} px, ${whole(data.train)} training and ${whole(data.validation)} validation pictures of ${data.classes.length} classes; begun ${environment.began.slice(0, 16).replace('T', ' ')} UTC.</p>`,
    tiles(config, history, judgement),
    html`<h2>Training</h2><div class="grid">
${figure('Loss', chart(lossChart(history, stepsPerEpoch), 'Loss by epoch'), 'Of training before each step, with smoothed and mixed targets; of validation after each epoch, without.')}
${figure('Right answers', chart(accuracyChart(history), 'Accuracy by epoch'))}
${figure('Learning rate', chart(rateChart(ratesOf(config, history, stepsPerEpoch)), 'Learning rate by epoch'))}
</div>`,
    ...(judgement ? [mistakes(judgement)] : []),
    ...(history.friction.length > 0 ? [friction(config, history.friction, stepsPerEpoch)] : []),
    html`<h2>What it was made with</h2>
${facts([...environmentFacts(environment)])}
<details><summary>Configuration</summary>${facts(Object.entries(config))}</details>`,
  ])
}

function tiles(config: Config, { epochs }: History, judgement: Judgement | undefined): Html {
  const last = epochs[epochs.length - 1]
  if (!last || !judgement) return html`<p>No epoch is over yet.</p>`
  const seconds = epochs.reduce((sum, row) => sum + row.seconds, 0)
  const pace = epochs.reduce((sum, row) => sum + row.picturesPerSecond, 0) / epochs.length
  return html`<div class="tiles">
${tile(percent(last.top1), `top-1 after epoch ${last.epoch} of ${config.epochs}`)}
${tile(percent(judgement.top1), `best top-1, epoch ${judgement.epoch}`)}
${judgement.classes.length > 5 ? tile(percent(last.top5), 'among the first five') : ''}
${tile(durationText(seconds), 'of training')}
${tile(pace.toFixed(0), 'training pictures a second')}
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

const mistakes = ({ matrix, classes, confused, epoch }: Judgement): Html =>
  html`<h2>Mistakes</h2><div class="grid wide">
${figure(
  'Confusion',
  chart(confusionChart(matrix, classes), 'Confusion matrix', { width: 500, height: 480 }),
  `Rows are the true classes, columns what their pictures were taken for, by the weights of epoch ${epoch}.`,
)}
<div class="card"><h3>Confused most</h3>${
    confused.length === 0 ? html`<p class="muted">Nothing was confused.</p>` : confused.map(pair)
  }</div></div>`

const pair = ({ actual, predicted, count, examples }: ConfusedPair): Html =>
  html`<p><b>${actual}</b> taken for <b>${predicted}</b>, ${count} times</p>
<div class="pictures">${examples.map(
    ({ file, probability, thumbnail }) =>
      html`<figure><img src="${thumbnail}" alt="${file}" title="${file}" width="76" height="76"><figcaption class="muted">${percent(probability, 0)}</figcaption></figure>`,
  )}</div>`

function friction(
  config: Config,
  readings: readonly FrictionReading[],
  stepsPerEpoch: number,
): Html {
  const { histogram } = readings[readings.length - 1]
  const mean = readings.reduce((sum, reading) => sum + reading.histogram.mean, 0) / readings.length
  const [half, most] = [distanceQuantile(histogram, 0.5), distanceQuantile(histogram, 0.99)]
  const below = (x: number): string =>
    x === distances[0] ? `below ${short(x)}` : `up to ${short(x)}`
  return html`<h2>Friction</h2>
<p>On average over all parameters and readings, ξ was <b>${mean.toFixed(6)}</b>. At the last reading it was ${below(half)} away from ½ for half of the parameters, and ${below(most)} for 99 % of them. Where ξ is ½, a step of ${rules[config.optimizer].name} is one without friction at half the learning rate.</p>
<div class="grid wide">${figure(
    '|ξ − ½| over time',
    chart(frictionChart(readings, stepsPerEpoch), 'Distance of the friction from one half', {
      width: 460,
      height: 280,
    }),
    'The darker, the more parameters; the line is the median. Logarithmic scale; the lowest band holds all below 10⁻⁷, which 32-bit floats near ½ hardly tell from 0.',
  )}
${figure(
  'Its spread at the end of each epoch',
  chart(spreadChart(readings, stepsPerEpoch), 'Spread of the friction', {
    width: 460,
    height: 280,
  }),
  'Shares of all parameters, two bins a decade; the strongest line is the last epoch.',
)}</div>`
}

function* environmentFacts(environment: Environment): Iterable<readonly [string, unknown]> {
  const { data, engine, node, system, processor, cores } = environment
  yield ['data', data.name]
  yield ['SHA-256 of the data', data.hash]
  yield ['engine', `${engine}, Node ${node}`]
  yield ['machine', `${processor}, ${cores} cores, ${system}`]
}
