import { join } from 'node:path'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import type { Comparison, Outcome } from '../compare/comparison.ts'
import { type Standing, standingsOf } from '../compare/standing.ts'
import { durationText } from '../training/progress.ts'
import { chart, series } from './chart.ts'
import { dotsChart, epochsChart } from './charts/comparison.ts'
import { type Html, html } from './html.ts'
import { percent, whole } from './numbers.ts'
import { facts, figure, page } from './page.ts'

/** Makes report.html of a comparison from its finished runs, and gives its path. */
export async function writeCompareReport(comparison: Comparison): Promise<string> {
  const [outcomes, failures] = [await comparison.outcomes(), await comparison.failures()]
  const { contenders, seeds } = comparison.plan
  const names = contenders.map(({ name }) => name)
  const standings = standingsOf(outcomes, names)
  const { data, engine, node, system, processor, cores } = await comparison.environment()
  const [{ config }] = contenders
  const alone = names.length === 1
  const title = `${alone ? names[0] : `${names.length} optimizers`} on ${data.name}`
  const text = page(title, [
    html`<h1>${title}</h1>
<p class="muted">${config.backbone ?? config.architecture}, ${config.size} px, ${whole(data.train)} training and ${whole(data.validation)} validation pictures of ${data.classes.length} classes; ${config.epochs} epochs from ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}${outcomes.length < comparison.runs ? html`, ${outcomes.length} of ${comparison.runs} runs finished` : ''}.</p>
${alone ? '' : html`<p>From each seed, all begin with the same weights and see the same batches. The control is Adam at half the learning rate: where ξ stays at ½, it is what diffGrad is.</p>`}`,
    ...(standings.length > 0
      ? results(standings, outcomes, names)
      : [html`<p>No run is finished yet.</p>`]),
    ...failures.map(
      ({ contender, seed, reason }) =>
        html`<p>${contender}, seed ${seed}, ended badly: ${reason}</p>`,
    ),
    html`<h2>What it was made with</h2>
${facts([
  ['data', data.name],
  ['SHA-256 of the data', data.hash],
  ['engine', `${engine}, Node ${node}`],
  ['machine', `${processor}, ${cores} cores, ${system}`],
  ['seeds', seeds.join(', ')],
])}
<details><summary>Configuration of the first</summary>${facts(Object.entries(config))}</details>`,
  ])
  const path = join(comparison.path, 'report.html')
  await replaceFile(path, Buffer.from(text))
  return path
}

const results = (
  standings: readonly Standing[],
  outcomes: readonly Outcome[],
  names: readonly string[],
): readonly Html[] => [
  html`<h2>Result</h2><div class="card scroll">${table(standings, names)}</div>`,
  html`<h2>Runs</h2><div class="grid wide">
${figure(
  'Every run',
  chart(dotsChart(standings), 'Final accuracy of every run', {
    width: 460,
    height: 70 + 32 * standings.length,
  }),
  'Dots are seeds, bars their means. Every run has a report of its own in runs/.',
)}
${figure(
  'Right answers in validation (%)',
  chart(
    epochsChart(outcomes, names, ({ top1 }) => 100 * top1),
    'Validation accuracy by epoch',
    { width: 460, height: 300 },
  ),
  legend(names),
)}
${figure(
  'Loss in validation',
  chart(
    epochsChart(outcomes, names, ({ validationLoss }) => validationLoss),
    'Validation loss by epoch',
    { width: 460, height: 300 },
  ),
  legend(names),
)}
${figure(
  'Loss in training',
  chart(
    epochsChart(outcomes, names, ({ trainLoss }) => trainLoss),
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

const points = (share: number): string =>
  `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`

const spread = (share: number): string =>
  Number.isNaN(share) ? '' : ` ± ${(100 * share).toFixed(1)}`

function table(standings: readonly Standing[], names: readonly string[]): Html {
  const best = Math.max(...standings.map(({ mean }) => mean))
  const rows = standings.map(
    ({ contender, top1, mean, spread: own, difference, validationLoss, seconds, friction }, i) => {
      const shown = `${percent(mean)}${spread(own)}`
      const against =
        i === 0
          ? '–'
          : `${points(difference.mean)}${spread(difference.spread)} (${difference.wins} of ${top1.length} better)`
      return html`<tr><td class="name">${swatch(names.indexOf(contender))}${contender}</td>
<td class="number">${mean === best ? html`<b>${shown}</b>` : shown}</td>
<td class="number">${against}</td>
<td class="number">${validationLoss.toFixed(3)}</td>
<td class="number">${friction === undefined ? '–' : friction.toFixed(6)}</td>
<td class="number">${durationText(seconds)}</td></tr>`
    },
  )
  return html`<table><tr><th>optimizer</th><th class="number">top-1, mean ± deviation</th><th class="number">points against ${names[0]}, paired</th><th class="number">validation loss</th><th class="number">mean ξ</th><th class="number">time</th></tr>${rows}</table>`
}
