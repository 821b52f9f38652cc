import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Comparison, type FinishedRun } from '../src/compare/comparison.ts'
import { dotsChart } from '../src/compare/report.ts'
import {
  bonferroni,
  meanOf,
  pairedTTest,
  proportionsTest,
  tailOfT,
} from '../src/compare/significance.ts'
import { type ChartOption, chartFile, lineSeries, muted } from '../src/report/chart.ts'

// Prints the tables and writes the plots of docs/evidence.md, from the results of docs/evidence/reference.py,
// and of comparisons of this repository: `pnpm --filter imagewoof evidence [<comparison> …]`.

/** An epoch: its number, mean training loss, top-1 accuracy, and mean ξ, which is 0 for rules without ξ. */
type Row = readonly [epoch: number, loss: number, top1: number, friction: number]

/** Results by contender and seed. */
type Results = Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>>

const docs = new URL('../../../docs/', import.meta.url)

const readReference = async (file: string, names: Readonly<Record<string, string>>) => {
  const results: Results = JSON.parse(await readFile(new URL(`evidence/${file}`, docs), 'utf8'))
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [name, results[key]]))
}

const writePlot = (name: string, option: ChartOption, title: string, height: number) =>
  writeFile(
    new URL(`images/evidence-${name}.svg`, docs),
    chartFile(option, title, { width: 640, height }),
  )

/** The percentages after the last epoch, by seed. */
const finals = (results: Results, contender: string): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(results[contender]).map(([seed, rows]) => [
      seed,
      100 * rows[rows.length - 1][2],
    ]),
  )

const signed = (points: number): string => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`

/** Differences of means up to so many points count as the same order of noise. */
const packWidth = 3

/**
 * The noise of a run: the deviation from contender plus seed, in points, over the contenders whose mean is
 * near that of the control. A two-way analysis of variance without interaction: with two seeds, it has one
 * degree of freedom less than contenders, where a t-test of one pair has one in all.
 */
function noiseNear(control: string, results: Results) {
  const all = Object.keys(results).map((name) => ({
    name,
    values: [...finals(results, name).values()],
  }))
  const seeds = finals(results, control).size
  const center = meanOf([...finals(results, control).values()])
  const pack = all.filter(
    ({ values }) => values.length === seeds && Math.abs(meanOf(values) - center) < packWidth,
  )
  const grand = meanOf(pack.flatMap(({ values }) => values))
  const seedMeans = Array.from({ length: seeds }, (_, i) =>
    meanOf(pack.map(({ values }) => values[i])),
  )
  const squares = pack.flatMap(({ values }) =>
    values.map((value, i) => (value - meanOf(values) - seedMeans[i] + grand) ** 2),
  )
  const degrees = (pack.length - 1) * (seeds - 1)
  const deviation = Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / degrees)
  return { deviation, degrees, names: pack.map(({ name }) => name) }
}

/**
 * Prints a Markdown table: accuracies by seed, and paired differences from a control. Two p-values, each
 * corrected for all contenders: that the seeds explain the difference, and that the images do.
 *
 * @param images - number of validation images.
 */
function printTable(title: string, results: Results, control: string, images: number): void {
  const own = finals(results, control)
  const { deviation, degrees, names } = noiseNear(control, results)
  const rows = Object.keys(results).map((contender) => {
    const accuracies = finals(results, contender)
    const common = [...accuracies].filter(([seed]) => own.has(seed))
    const differences = common.map(([seed, top1]) => top1 - (own.get(seed) ?? 0))
    const mean = meanOf([...accuracies.values()])
    const isNear = names.includes(contender) || common.length === 1
    const t = Math.abs(meanOf(differences)) / (deviation * Math.sqrt(2 / common.length))
    const shares = [mean, meanOf(common.map(([seed]) => own.get(seed) ?? 0))].map((x) => x / 100)
    return {
      ...{ contender, accuracies, differences, mean },
      seeds: isNear ? tailOfT(t, degrees) : pairedTTest(differences),
      images: proportionsTest(shares[0], shares[1], images),
      frictions: Object.values(results[contender]).map((run) => meanOf(run.map((row) => row[3]))),
    }
  })
  const others = rows.filter(({ contender }) => contender !== control)
  const [seeds, ofImages] = (['seeds', 'images'] as const).map((key) =>
    bonferroni(others.map((row) => row[key])),
  )
  console.log(
    `\n${title}\n\n| | top-1 by seed | mean | minus ${control} | p, seeds | p, images | mean ξ by seed |`,
  )
  console.log('|---|---|---|---|---|---|---|')
  for (const { contender, accuracies, differences, mean, frictions } of rows) {
    const i = others.findIndex((other) => other.contender === contender)
    const cells = [
      contender,
      [...accuracies.values()].map((top1) => top1.toFixed(2)).join(', '),
      mean.toFixed(2),
      ...(i < 0
        ? ['–', '–', '–']
        : [differences.map(signed).join(', '), formatP(seeds[i]), formatP(ofImages[i])]),
      frictions.every((xi) => xi === 0) ? '–' : frictions.map((xi) => xi.toFixed(5)).join(', '),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  console.log(
    `\nNoise of a run: ${deviation.toFixed(2)} points, ${degrees} degrees of freedom, from ${names.join('; ')}`,
  )
}

/** Prints how much the accuracies of a contender change from epoch to epoch near the end of its training. */
function printEpochNoise(results: Results): void {
  const runs = Object.values(results).flatMap((seeds) => Object.values(seeds))
  const accuracies = runs.map((rows) => rows.map((row) => 100 * row[2]))
  const last = accuracies.map((run) => run[run.length - 1] - run[run.length - 2])
  const squares = accuracies.flatMap((run) => {
    const points = run.slice(-5).map((y, x) => [x - 2, y] as const)
    const mean = meanOf(points.map(([, y]) => y))
    const slope = points.reduce((sum, [x, y]) => sum + x * y, 0) / 10
    return points.map(([x, y]) => (y - mean - slope * x) ** 2)
  })
  const degrees = 3 * accuracies.length
  const deviation = Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / degrees)
  console.log(
    `From the last epoch but one to the last, a run changes by ${signed(Math.min(...last))} to ${signed(Math.max(...last))} points, and falls in ${last.filter((change) => change < 0).length} of ${last.length} runs.
Around a line through its last five epochs, a run deviates by ${deviation.toFixed(2)} points.`,
  )
}

const formatP = (p: number): string =>
  Number.isNaN(p) ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(p < 0.1 ? 3 : 2)

/** Dots of all seeds of every contender, and bars of their means. */
const dots = (results: Results): ChartOption =>
  dotsChart(
    Object.keys(results).map((contender) => {
      const top1 = [...finals(results, contender).values()].map((percent) => percent / 100)
      return { contender, top1, mean: meanOf(top1) }
    }),
  )

/** Lines of named values over the same columns, labelled at their right ends. */
const labelledLines = (
  lines: readonly (readonly [name: string, values: readonly (readonly [x: number, y: number])[]])[],
  axes: Pick<ChartOption, 'xAxis' | 'yAxis'>,
): ChartOption => ({
  grid: { left: 44, right: 150, top: 16, bottom: 40 },
  legend: 'none',
  ...axes,
  series: lines.map(([name, data], i) => {
    const own = lineSeries(name, i, data)
    return {
      ...own,
      endLabel: { show: true, formatter: name, color: own.itemStyle.color, distance: 8 },
      labelLayout: { moveOverlap: 'shiftY' },
    }
  }),
})

/** Accuracies of the review and of both seeds: lines that cross are rankings that change. */
function rankings(results: Results, review: Readonly<Record<string, number>>): ChartOption {
  const columns = ['published, one run', 'PyTorch, seed 1', 'PyTorch, seed 2']
  const lines = Object.keys(results).flatMap((contender) => {
    const own = finals(results, contender)
    const values = [review[contender], own.get('1'), own.get('2')]
    const points = values.flatMap((y, x) => (y === undefined ? [] : [[x, y] as const]))
    return points.length > 1 ? [[contender, points] as const] : []
  })
  return labelledLines(lines, {
    xAxis: {
      type: 'category',
      data: columns,
      axisLabel: { interval: 0, color: muted },
      boundaryGap: true,
    },
    yAxis: { ...named('top-1 after 10 epochs (%)', 36), min: 82.5, max: 85.5 },
  })
}

/** How far one contender is ahead of another after every epoch, and a published difference. */
function leads(
  results: Results,
  [first, second]: readonly [string, string],
  published: number,
): ChartOption {
  const epochs = Object.values(results[first])[0].length
  const lines = Object.entries(results[first]).map(([seed, rows]) => {
    const other = results[second][seed]
    const points = rows.map(([epoch, , top1], i) => [epoch, 100 * (top1 - other[i][2])] as const)
    return [`seed ${seed}`, points] as const
  })
  const level = [1, epochs].map((epoch) => [epoch, published] as const)
  return labelledLines([...lines, [`published: ${signed(published)}`, level]], {
    xAxis: { ...named('epoch', 24), min: 1, max: epochs, interval: 1 },
    yAxis: named(`${first} minus ${second} (points)`, 32),
  })
}

const named = (name: string, nameGap: number) =>
  ({ type: 'value', name, nameLocation: 'middle', nameGap }) as const

/** The results of a comparison, in the form of those of the reference. */
function resultsOf(runs: readonly FinishedRun[]): Results {
  const results: Record<string, Record<string, readonly Row[]>> = {}
  for (const { contender, seed, history } of runs) {
    const means = history.friction.map(({ histogram }) => histogram.mean)
    const friction = means.length > 0 ? meanOf(means) : 0
    results[contender] ??= {}
    results[contender][seed] = history.epochs.map(
      ({ epoch, trainLoss, top1 }) => [epoch, trainLoss, top1, friction] as const,
    )
  }
  return results
}

const cifar10 = await readReference('cifar10-seresnet18-10epochs.json', {
  original: 'original',
  fixed0: 'fixed',
  adam: 'Adam',
  fixed1: 'fixed, version 1',
  adam_half: 'Adam, half rate',
  free: 'scale-free ξ',
})
const imageWoof = await readReference('imagewoof-128px-20epochs.json', {
  diffrgrad: 'DiffRGrad',
  ranger: 'Ranger',
  diffmod: 'DiffMod',
  radam: 'RAdam',
  diffgrad1: 'diffGrad, version 1',
  diffgrad0: 'diffGrad',
  diffgrad2: 'diffGrad, version 2',
  adam_half: 'Adam, half rate',
  free: 'scale-free ξ',
  diffgrad0_double: 'diffGrad, double rate',
  adam: 'Adam',
  free2: 'scale-free ξ in [½, 1.5)',
  adam_double: 'Adam, double rate',
})
printTable('CIFAR-10, PyTorch', cifar10, 'Adam, half rate', 10_000)
printEpochNoise(cifar10)
printTable('ImageWoof, PyTorch', imageWoof, 'Adam, half rate', 3929)
const review = { original: 84.38, fixed: 83.42, Adam: 84.27 }
await writePlot(
  'cifar10',
  rankings(cifar10, review),
  'Accuracy on CIFAR-10, published and twice repeated',
  400,
)
await writePlot(
  'cifar10-epochs',
  leads(cifar10, ['original', 'fixed'], review.original - review.fixed),
  'How far the original is ahead of the fixed code, by epoch',
  280,
)
const { 'Adam, double rate': _lowest, 'scale-free ξ in [½, 1.5)': _low, ...above } = imageWoof
await writePlot('imagewoof', dots(above), 'Accuracy on ImageWoof of every contender and seed', 560)
for (const path of process.argv.slice(2)) {
  const comparison = await Comparison.open(path)
  if (!comparison) throw new Error(`${path} is not the folder of a comparison`)
  const results = resultsOf(await comparison.finishedRuns())
  const { data } = await comparison.environment()
  const [control = ''] = Object.keys(results).slice(-1)
  printTable(path, results, control, data.validation)
  await writePlot(
    basename(path),
    dots(results),
    `Accuracy on ${data.name}`,
    60 + 46 * Object.keys(results).length,
  )
}
