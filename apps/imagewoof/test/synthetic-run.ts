import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import sharp from 'sharp'
import { reportedComparison } from '../src/commands/compare.ts'
import { writePlanReport } from '../src/commands/plan.ts'
import { Comparison } from '../src/compare/comparison.ts'
import { parseContenders, presets, seedRun } from '../src/compare/contenders.ts'
import { rateRun, withGrid } from '../src/compare/tuning.ts'
import { resolveConfig } from '../src/config/config.ts'
import type { EvaluationSummary } from '../src/evaluation/summary.ts'
import { suggestLearningRates } from '../src/lr-find/range-test.ts'
import { rangeTestReport } from '../src/lr-find/report.ts'
import { writeRunReport } from '../src/report/run-report.ts'
import type { Environment } from '../src/run/environment.ts'
import { frictionEdges, type History } from '../src/run/history.ts'
import { RunFolder } from '../src/run/run-folder.ts'

const epochs = 12
const stepsPerEpoch = 40

const breeds = [
  ...[
    'Australian terrier',
    'Beagle',
    'Border terrier',
    'Dingo',
    'English foxhound',
    'Golden retriever',
  ],
  ...['Old English sheepdog', 'Rhodesian ridgeback', 'Samoyed', 'Shih-Tzu'],
]

/** Names as data sets have them: short ones for two classes, dogs for ten, long and strange ones for more. */
function classNames(count: number): readonly string[] {
  if (count === 2) return ['cats', 'dogs']
  if (count === 10) return breeds
  return Array.from({ length: count }, (_, i) =>
    i === 3
      ? 'Staffordshire_bullterrier_(American)_2019'
      : i === 5
        ? 'ﬂor de muerto & <cempasúchil>'
        : `${breeds[i % breeds.length]} ${Math.floor(i / breeds.length) + 1}`,
  )
}

/**
 * Writes a run folder with the results of a made-up training on `count` classes, and its report.
 *
 * @returns the path of the report.
 */
export async function writeSyntheticReport(path: string, count: number): Promise<string> {
  const generator = xoroshiro128plus(count)
  const random = (): number => uniformFloat64(generator)
  const classes = classNames(count)
  const matrix = confusions(count, random)
  const images = matrix.flat().reduce((a, b) => a + b, 0)
  const correct = matrix.reduce((sum, row, i) => sum + row[i], 0)
  const config = resolveConfig({ data: `my-${count}-classes`, epochs, batch: 32 })
  const folder = await RunFolder.create(path, config, environmentOf(classes, images))
  await folder.saveHistory(historyOf(correct / images, count, random))
  await folder.saveEvaluation(await evaluationOf(matrix, classes, correct / images))
  return writeRunReport(folder)
}

function environmentOf(classes: readonly string[], validation: number): Environment {
  const [, , , duplicated] = classes
  return {
    ...{ began: '2026-01-02T03:04:05.000Z', node: 'v22.12.0', system: 'linux 6.1 x64', cores: 2 },
    processor: 'a processor with a rather long name @ 2.40 GHz',
    engine: 'onnxruntime-node 1.24.0',
    data: {
      ...{ name: `my-${classes.length}-classes`, hash: 'c0ffee'.repeat(10), version: 2 },
      ...{ classes, train: 32 * stepsPerEpoch, validation },
      ...(duplicated !== undefined && {
        warnings: [
          `1 image is in the training and in the validation split: train/${duplicated}/a.jpeg, val/${duplicated}/b.jpeg`,
        ],
      }),
    },
  }
}

/**
 * Writes a comparison of eight contenders with made-up results of three seeds, and its report.
 *
 * @returns the path of the report.
 */
export async function writeSyntheticComparison(path: string): Promise<string> {
  const generator = xoroshiro128plus(8)
  const random = (): number => uniformFloat64(generator)
  const names = [
    ...presets['diffgrad-family'].contenders,
    'adamod --memory-length 10 --no-flip --crop 1',
  ]
  const contenders = withGrid(parseContenders(names, { epochs }), [0.25, 0.5, 1, 2, 4])
  const plan = { contenders, seeds: [1, 2, 3], keep: false, tuned: true }
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'compare.json'), JSON.stringify(plan))
  const environment = environmentOf(breeds, 3929)
  await writeFile(join(path, 'environment.json'), JSON.stringify(environment))
  for (const contender of contenders)
    for (const rate of contender.rates ?? []) {
      const run = rateRun(contender, rate, plan.seeds, join(path, 'tuning'))
      const folder = await RunFolder.create(run.path, run.config, environment)
      await folder.saveHistory(historyOf(0.8 - 5 * rate * random(), 10, random))
    }
  for (const [i, contender] of plan.contenders.entries())
    for (const seed of plan.seeds) {
      const run = seedRun(contender, seed, join(path, 'runs'))
      const folder = await RunFolder.create(run.path, contender.config, environment)
      await folder.saveHistory(historyOf(0.8 - 0.08 * i + 0.004 * random(), 10, random))
    }
  const comparison = await Comparison.open(path)
  if (!comparison) throw new Error('no comparison was written')
  return writePlanReport(reportedComparison(comparison))
}

/** Writes the report of a range test with made-up losses, and returns its path. */
export async function writeSyntheticRangeTest(path: string): Promise<string> {
  const generator = xoroshiro128plus(9)
  const trials = Array.from({ length: 90 }, (_, i) => {
    const rate = 1e-5 * 10 ** (i / 20)
    const fall = 1 / (1 + Math.exp(-3 * Math.log10(rate / 3e-3)))
    const rise = 3 * Math.max(0, Math.log10(rate / 0.1)) ** 2
    return { rate, loss: 2.4 - fall + rise + 0.2 * uniformFloat64(generator) }
  })
  const range = { from: 1e-5, to: 1, steps: 100 }
  const config = resolveConfig({ data: '/home/someone/pictures/a folder with a long name' })
  await writeFile(path, rangeTestReport(config, range, trials, suggestLearningRates(trials)))
  return path
}

/** Mostly right, with errors towards neighbouring classes, and one class that is never predicted. */
function confusions(count: number, random: () => number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, i) => {
    const row = new Array<number>(count).fill(0)
    const images = Math.floor((count > 50 ? 20 : 150) * (0.6 + random()))
    const recall = i === 7 ? 0 : 0.5 + 0.5 * random()
    for (let image = 0; image < images; image++) {
      const isRight = random() < recall
      const other = random() < 0.7 ? (i + 1) % count : Math.floor(random() * count)
      row[isRight ? i : other === 7 ? 0 : other]++
    }
    return row
  })
}

function historyOf(best: number, classes: number, random: () => number): History {
  const start = Math.log(classes)
  const losses = Array.from(
    { length: epochs * stepsPerEpoch },
    (_, i) => start * Math.exp(-i / 160) + 0.3 + 0.2 * random(),
  )
  const shares = Array.from({ length: epochs }, (_, i) =>
    i === 8 ? best : best * (1 - 0.6 * Math.exp(-i / 2)) - 0.005 - 0.02 * random(),
  )
  return {
    losses,
    epochs: shares.map((top1, i) => ({
      epoch: i + 1,
      trainLoss: losses[(i + 1) * stepsPerEpoch - 1],
      trainAccuracy: Math.min(top1 + 0.03 * i - 0.1, 0.99),
      validationLoss: start * Math.exp(-i / 3) + 0.4 + 0.01 * i,
      top1,
      top5: Math.min(1, top1 + 0.2),
      learningRate: 4e-3 * Math.cos((i / epochs) * 1.5),
      seconds: 61 + 10 * random(),
      imagesPerSecond: 80,
    })),
    friction: Array.from({ length: 4 * epochs }, (_, i) => {
      const counts = frictionEdges.slice(1).map((edge) => {
        const middle = Math.log10(Math.abs(edge - 0.5) + 1e-8)
        return Math.round(1e5 * Math.exp(-((middle + 3 + i / 40) ** 2)))
      })
      return {
        step: 10 * (i + 1) - 1,
        histogram: { edges: frictionEdges, counts, outside: 0, mean: 0.5002 },
      }
    }),
  }
}

async function evaluationOf(
  matrix: EvaluationSummary['matrix'],
  classes: readonly string[],
  top1: number,
): Promise<EvaluationSummary> {
  const pairs = matrix
    .flatMap((row, i) =>
      row.map((n, j) => ({ actual: classes[i], predicted: classes[j], n, i, j })),
    )
    .filter(({ n, i, j }) => n > 0 && i !== j)
    .toSorted((a, b) => b.n - a.n)
    .slice(0, 6)
  const confused = pairs.map(async ({ actual, predicted, n, i, j }) => ({
    actual,
    predicted,
    count: n,
    examples: await Promise.all(
      [0.97, 0.81, 0.64, 0.42].slice(0, n).map(async (probability, k) => ({
        file: `val/${actual}/${k}.jpeg`,
        probability,
        thumbnail: await thumbnail([(60 * i) % 256, (90 * j) % 256, 60 * k]),
      })),
    ),
  }))
  return {
    ...{ epoch: 9, loss: 0.7, top1, top5: Math.min(1, top1 + 0.2) },
    ...{ classes, matrix, confused: await Promise.all(confused) },
  }
}

async function thumbnail([r, g, b]: readonly number[]): Promise<string> {
  const jpeg = await sharp({
    create: { width: 96, height: 96, channels: 3, background: { r, g, b } },
  })
    .jpeg()
    .toBuffer()
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`
}
