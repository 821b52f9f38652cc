import { optionName } from '../config/config.ts'
import { accuracyInterval } from '../evaluation/metrics.ts'
import { formatCount, formatDuration, formatInterval, formatPercent } from '../format.ts'
import { type ChartOption, chart, lineSeries, series, surface } from '../report/chart.ts'
import { figure, type Html, html, type PageContent, valueTable } from '../report/page.ts'
import { warningList } from '../report/run-report.ts'
import { type Column, dataTable } from '../report/table.ts'
import { describeChoices, type SearchSpace } from './space.ts'
import type { CandidateResult, SearchKind, Sweep } from './sweep.ts'

/** The sections of the report of a sweep. */
export async function sweepContent(sweep: Sweep): Promise<PageContent> {
  const { space, search, seeds, rungs, settings, candidates } = sweep.plan
  const results = await sweep.results()
  const { data, engine, node, system, processor, cores } = await sweep.environment()
  const [{ config }] = candidates
  const title = `${formatCount(candidates.length)} candidates on ${data.name}`
  const scored = results.filter(({ score }) => score !== undefined)
  const heldOut = config.holdOut
  const images = heldOut === undefined ? 'validation' : 'held-out training'
  const content = [
    html`<h1>${title}</h1>
<p class="muted">${config.backbone ?? config.architecture}, ${config.size} px, ${formatCount(data.train)} training and ${formatCount(data.validation)} ${images} images of ${data.classes.length} classes; ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}.</p>
<p>Ranked by rung, and then by the accuracy on ${images} images, a mean over the seeds. The best of many is better by chance, too: ${heldOut === undefined ? 'other images' : 'the validation images, which no candidate has seen,'} and other seeds tell how good it is.</p>`,
    warningList(data.warnings),
    ...(scored.length === 0
      ? [html`<p>No epoch is complete yet.</p>`]
      : [
          html`<h2>Candidates</h2>${resultTable(results, space, rungs.length, data.validation)}`,
          html`<h2>Charts</h2><div class="grid wide">
${figure('Accuracy by epoch', chart(epochsChart(scored), 'Accuracy by epoch', { width: 500, height: 300 }), `The five best have colours.${seeds.length > 1 ? ' Lines are of the first seed.' : ''}`)}
${Object.keys(space).map((key) => figure(optionName(key).slice(2), chart(optionChart(scored, key, rungs.length), `Accuracy by ${optionName(key)}`, { width: 500, height: 300 }), rungs.length > 1 ? 'After the last epoch of each candidate, coloured by its rung.' : 'After the last epoch.'))}
</div>`,
        ]),
    html`<h2>Search</h2>
${valueTable([
  ...Object.entries(space).map(
    ([key, choices]) => [optionName(key), describeChoices(choices)] as const,
  ),
  ['search', searchText(search)],
  ...(rungs.length > 1
    ? [
        [
          'rungs',
          rungs.map(({ epochs, candidates }) => `${candidates} until epoch ${epochs}`).join(', '),
        ] as const,
      ]
    : []),
  ['seeds', seeds.join(', ')],
  ...Object.entries(settings).map(([key, value]) => [optionName(key), value] as const),
])}`,
    html`<h2>Environment</h2>
${valueTable([
  ['data', data.name],
  ['SHA-256 of the data', data.hash],
  ['engine', `${engine}, Node ${node}`],
  ['machine', `${processor}, ${cores} cores, ${system}`],
])}
<details><summary>Configuration of the first candidate</summary>${valueTable(Object.entries(config))}</details>`,
  ]
  return { title, content }
}

const searchText = (search: SearchKind): string =>
  search.kind === 'grid' ? 'grid' : `${search.count} random draws, seed ${search.seed}`

function resultTable(
  results: readonly CandidateResult[],
  space: SearchSpace,
  rungs: number,
  images: number,
): Html {
  const rank = new Map(results.map((result, i) => [result, i + 1]))
  const epochsOf = ({ runs }: CandidateResult): number =>
    Math.min(...runs.map(({ history }) => history.length))
  const secondsOf = ({ runs }: CandidateResult): number =>
    runs.flatMap(({ history }) => history).reduce((sum, { seconds }) => sum + seconds, 0)
  const columns: readonly Column<CandidateResult>[] = [
    {
      name: 'rank',
      text: (result) => `${rank.get(result)}`,
      value: (result) => rank.get(result) ?? 0,
    },
    ...Object.keys(space).map((key) => {
      const name = optionName(key).slice(2)
      const text = ({ values }: CandidateResult): string => `${values[key]}`
      const isNumeric = results.every(({ values }) => typeof values[key] === 'number')
      return isNumeric
        ? { name, text, value: ({ values }: CandidateResult) => Number(values[key]) }
        : { name, text }
    }),
    {
      name: 'top-1',
      text: ({ score, runs }) => {
        if (score) {
          const interval = formatInterval(accuracyInterval(score.top1, images))
          return html`${formatPercent(score.top1)} <small>${interval}</small>`
        }
        return runs.find(({ failure }) => failure !== undefined)?.failure ?? '–'
      },
      value: ({ score }) => score?.top1 ?? -1,
    },
    {
      name: 'validation loss',
      text: ({ score }) => score?.validationLoss.toFixed(3) ?? '–',
      value: ({ score }) => score?.validationLoss ?? Number.MAX_VALUE,
    },
    ...(rungs > 1
      ? [
          {
            name: 'rung',
            text: ({ rung }: CandidateResult) => `${rung + 1} of ${rungs}`,
            value: ({ rung }: CandidateResult) => rung,
          },
        ]
      : []),
    { name: 'epochs', text: (result) => `${epochsOf(result)}`, value: epochsOf },
    {
      name: 'trials',
      text: ({ runs }) => runs.map(({ number }) => number).join(', '),
    },
    { name: 'time', text: (result) => formatDuration(secondsOf(result)), value: secondsOf },
  ]
  return dataTable(columns, results, (result) => rank.get(result) === 1)
}

const accuracyAxis = {
  type: 'value',
  scale: true,
  name: 'top-1 (%)',
  nameLocation: 'middle',
  nameGap: 32,
}
const grid = { left: 48, right: 16, top: 12, bottom: 40 }
const xName = (name: string) => ({ name, nameLocation: 'middle', nameGap: 24 })

/** How many candidates are named in a chart. */
const named = 5

/** @param results - the best first. */
function epochsChart(results: readonly CandidateResult[]): ChartOption {
  const lines = results.map(({ name, runs: [{ history }] }, i) => {
    const data = history.map(({ epoch, top1 }) => [epoch, 100 * top1] as const)
    if (i < named) return { ...lineSeries(name, i, data), z: 3 }
    return {
      ...{ type: 'line', data, symbol: 'none' },
      lineStyle: { color: series(8), width: 1, opacity: 0.4 },
    }
  })
  return {
    grid,
    xAxis: { type: 'value', minInterval: 1, min: 'dataMin', ...xName('epoch') },
    yAxis: accuracyAxis,
    series: lines,
  }
}

/** The accuracy of each candidate by its value of an option. */
function optionChart(results: readonly CandidateResult[], key: string, rungs: number): ChartOption {
  const values = results.map((result) => result.values[key])
  const numbers = values.filter((value) => typeof value === 'number')
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  const isNumeric = numbers.length === values.length
  const type = isNumeric ? (low > 0 && high / low >= 50 ? 'log' : 'value') : 'category'
  const x = (value: unknown) => (isNumeric ? Number(value) : String(value))
  return {
    grid,
    hover: { x: String },
    xAxis: { type, ...(isNumeric && { scale: true }), ...xName(optionName(key).slice(2)) },
    yAxis: accuracyAxis,
    series: Array.from({ length: rungs }, (_, rung) => ({
      type: 'scatter',
      ...(rungs > 1 && { name: `rung ${rung + 1}` }),
      symbolSize: 9,
      data: results
        .filter((result) => result.rung === rung)
        .map(({ values, score }) => [x(values[key]), 100 * (score?.top1 ?? 0)]),
      itemStyle: { color: series(rung), opacity: 0.75, borderColor: surface, borderWidth: 1 },
      lineStyle: { color: series(rung) },
    })),
  }
}
