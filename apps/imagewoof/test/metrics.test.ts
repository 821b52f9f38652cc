import { expectClose } from '@diffgrad/testing/tolerance'
import { randomNormal } from 'd3-random'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { expect, test } from 'vitest'
import {
  bonferroni,
  deviationOf,
  meanInterval,
  meanOf,
  noiseFloor,
  pairedTTest,
  proportionsTest,
  quantileOfT,
  splitCoverage,
} from '../src/compare/significance.ts'
import {
  conclusion,
  type Difference,
  noiseSentences,
  seedNoise,
  summarizeContenders,
  winnerOf,
} from '../src/compare/summary.ts'
import { accuracyInterval, balancedAccuracy, classMetrics } from '../src/evaluation/metrics.ts'
import { confusionMatrix } from '../src/evaluation/summary.ts'

const exact = { relative: 1e-12, absolute: 1e-12 }

const matrixOf = (labels: readonly number[], predicted: readonly number[], classes: number) =>
  confusionMatrix(
    labels.map((label, i) => ({ label, predicted: predicted[i], probability: 1 })),
    classes,
  )

test('precision, recall and F1 are those of scikit-learn', () => {
  // The example of sklearn.metrics.classification_report, and a fourth class without images.
  const matrix = matrixOf([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 4)
  const metrics = classMetrics(matrix, ['a', 'b', 'c', 'd'])
  expect(metrics.map(({ support }) => support)).toEqual([1, 1, 3, 0])
  expect(metrics.map(({ precision }) => precision)).toEqual([0.5, 0, 1, undefined])
  expect(metrics.map(({ recall }) => recall)).toEqual([1, 0, 2 / 3, undefined])
  expect(metrics.map(({ f1 }) => f1)).toEqual([2 / 3, 0, 0.8, undefined])
  expectClose(balancedAccuracy(metrics), 5 / 9, exact)
  // The example of sklearn.metrics.balanced_accuracy_score.
  const binary = matrixOf([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 2)
  expect(balancedAccuracy(classMetrics(binary, ['a', 'b']))).toBe(0.625)
})

test.each([
  // scipy.stats.binomtest(right, images).proportion_ci(0.95, 'wilson')
  [0, 10, 0, 0.27753279986288926],
  [957, 1000, 0.942580996155916, 0.9679213465882865],
  [10, 10, 0.7224672001371109, 1],
  [81, 263, 0.2552885198782742, 0.36620957698280004],
])('the interval of %i right of %i images is that of scipy', (right, images, low, high) => {
  const interval = accuracyInterval(right / images, images)
  expectClose(interval, [low, high], { relative: 1e-7, absolute: 1e-12 })
})

test.each([
  // scipy.stats.ttest_1samp(differences, 0).pvalue
  [[0.01, 0.014], 0.10513691342250688],
  [[0.01, 0.014, 0.006], 0.04941362421328312],
  [[0.01, -0.02, 0.03, 0.012], 0.4962565577934971],
  [[0.01, -0.02, 0.03, 0.012, 0.02], 0.2822087953145985],
  [[0.01, -0.02, 0.03, 0.012, 0.02, 0.007], 0.21132523094469347],
  [[0, 0, 0], 1],
])('the paired t-test of %j is that of scipy', (differences, pValue) => {
  expectClose(pairedTTest(differences), pValue, { relative: 1e-10 })
})

test('the quantiles of Student’s distribution are those of the tables', () => {
  // scipy.stats.t.isf(tail / 2, degrees)
  const table = [
    [0.05, 1, 12.706204736174705],
    [0.05, 4, 2.7764451051977943],
    [0.01, 4, 4.604094871349993],
    [0.05, 9, 2.2621571627982053],
    [0.05, 30, 2.042272456301238],
  ]
  for (const [tail, degrees, t] of table)
    expectClose(quantileOfT(tail, degrees), t, { relative: 1e-9 })
})

test('an interval is that of scipy, and excludes 0 exactly if the t-test rejects it', () => {
  // scipy.stats.t.interval(0.95, 3, mean, standard error), of values whose mean is 0.008
  const differences = [0.01, -0.02, 0.03, 0.012]
  const radius = (3.1824463052837086 * deviationOf(differences)) / 2
  expectClose(meanInterval(differences, 0.05), [0.008 - radius, 0.008 + radius], { relative: 1e-9 })
  const pValue = pairedTTest(differences)
  const low = (alpha: number): number => meanInterval(differences, alpha)[0]
  expect(low(pValue * 0.999)).toBeLessThan(0)
  expect(low(pValue * 1.001)).toBeGreaterThan(0)
})

test('two accuracies on the same number of images are tested as two proportions', () => {
  // 2 scipy.stats.norm.sf(0.04 / sqrt(2 p (1 - p) / 1000)), p = 0.68.
  expectClose(proportionsTest(0.7, 0.66, 1000), 0.055185550991133904, { relative: 1e-5 })
})

test('p-values are corrected as by p.adjust of R with method "bonferroni"', () => {
  expectClose(bonferroni([0.01, 0.04, 0.3]), [0.03, 0.12, 0.9], exact)
  expect(bonferroni([0.6, 0.7])).toEqual([1, 1])
})

const epoch = {
  ...{ epoch: 1, trainLoss: 1, trainAccuracy: 0.5, validationLoss: 0.5, top5: 1 },
  ...{ learningRate: 0.1, seconds: 2, imagesPerSecond: 1 },
}
const runsOf = (results: Readonly<Record<string, readonly number[]>>) =>
  Object.entries(results).flatMap(([contender, shares]) =>
    shares.map((top1, i) => ({
      contender,
      seed: i + 1,
      history: { losses: [], epochs: [{ ...epoch, top1 }], friction: [] },
    })),
  )

/** Accuracies of a contender: a common effect of each seed, and normal noise of each run. */
const simulatedRuns = (names: readonly string[], seeds: number, noise: () => number) => {
  const ofSeeds = Array.from({ length: seeds }, () => 0.8 + noise())
  return runsOf(Object.fromEntries(names.map((name) => [name, ofSeeds.map((x) => x + noise())])))
}

test('without a difference in truth, the interval holds 0 in 95 % of simulated comparisons', () => {
  const generator = xoroshiro128plus(1)
  const noise = randomNormal.source(() => uniformFloat64(generator))(0, 0.006)
  const comparisons = 2000
  /** The share of comparisons with an interval that excludes 0, which is that of small p-values. */
  const claims = (names: readonly string[]): number => {
    let [byInterval, byPValue] = [0, 0]
    for (let i = 0; i < comparisons; i++) {
      const summaries = summarizeContenders(simulatedRuns(names, 5, noise), names, 1e9)
      const differences = summaries.flatMap(({ difference }) => difference ?? [])
      const excludesZero = ({ interval: [low, high] = [0, 0] }: Difference) => low > 0 || high < 0
      if (differences.some(excludesZero)) byInterval++
      if (differences.some(({ verdict }) => verdict !== 'no difference')) byPValue++
    }
    expect(byPValue).toBe(byInterval)
    return byInterval / comparisons
  }
  expect(Math.abs(claims(['a', 'b']) - 0.05)).toBeLessThan(0.015)
  // Six contenders: 200,000 simulations by NumPy with the quantile of SciPy claim a difference in 4.7 %.
  const any = claims(['a', 'b', 'c', 'd', 'e', 'f'])
  expect(any).toBeLessThanOrEqual(0.05)
  expect(any).toBeGreaterThan(0.025)
})

test('the noise floor pools the seeds of each contender, and two further runs are within it', () => {
  const floor = noiseFloor([[0.7, 0.72, 0.74], [0.5, 0.51], [0.9]])
  expect(floor?.degrees).toBe(3)
  // sqrt((2 · 0.02² + 1 · 0.01²/2) / 3)
  expectClose(floor?.deviation ?? 0, Math.sqrt((2 * 4e-4 + 5e-5) / 3), { relative: 1e-9 })
  expect(noiseFloor([[0.7], [0.5]])).toBeUndefined()
  const generator = xoroshiro128plus(2)
  const noise = randomNormal.source(() => uniformFloat64(generator))(0, 0.006)
  const draw = (count: number): readonly number[] => Array.from({ length: count }, noise)
  const within = Array.from({ length: 2000 }, () => {
    const [first, second] = draw(2)
    return Math.abs(first - second) <= (noiseFloor([draw(3), draw(3)])?.difference ?? 0)
  })
  expect(Math.abs(meanOf(within.map(Number)) - 0.95)).toBeLessThan(0.015)
})

test('intervals of ten seeds of one contender, split in two at random, hold 0 in 95 % of splits', () => {
  const generator = xoroshiro128plus(3)
  const noise = randomNormal.source(() => uniformFloat64(generator))(0.9, 0.006)
  const groups = Array.from({ length: 40 }, () => Array.from({ length: 10 }, noise))
  const { covered = 0, splits = 1 } = splitCoverage(groups) ?? {}
  expect(splits).toBe(80_000)
  expect(Math.abs(covered / splits - 0.95)).toBeLessThan(0.015)
  expect(splitCoverage([[0.7, 0.8, 0.9]])).toBeUndefined()
})

test('verdicts say what was found, and that nothing was', () => {
  const verdicts = (
    results: Readonly<Record<string, readonly number[]>>,
    images: number,
  ): readonly (string | undefined)[] =>
    summarizeContenders(runsOf(results), Object.keys(results), images).map(
      ({ difference }) => difference?.verdict,
    )
  const adam = [0.5, 0.51, 0.49, 0.5]
  const slightly = [0.52, 0.531, 0.511, 0.519]
  const results = { adam, far: [0.7, 0.72, 0.7, 0.69], slightly, noisy: [0.6, 0.4, 0.5, 0.55] }
  expect(verdicts(results, 1000)).toEqual([
    ...[undefined, 'better', 'better on these images', 'no difference'],
  ])
  expect(verdicts(results, 1e5)).toEqual([undefined, 'better', 'better', 'no difference'])
  expect(verdicts({ far: results.far, adam }, 1000)).toEqual([undefined, 'worse'])
  // Both seeds differ by 4 images, and so by 0.4 ± 0.0 points.
  const equally = { adam: [0.5, 0.51], far: [0.504, 0.514] }
  expect(verdicts(equally, 1000)).toEqual([undefined, 'too few seeds'])
  const summaries = summarizeContenders(runsOf({ adam }), ['adam'], 1000)
  const [floor, check] = noiseSentences(seedNoise(summaries))
  expect(floor).toContain('up to 3.7 points apart in 95 % of cases')
  expect(check).toMatch(/holds 0 in [\d.]+ % of 2,000 splits/)
})

test('a comparison has a winner only if the best differs from every other beyond the noise', () => {
  const winner = (results: Readonly<Record<string, readonly number[]>>): string | undefined => {
    const runs = runsOf(results)
    return winnerOf(summarizeContenders(runs, Object.keys(results), 1000), runs, 1000)
  }
  const adam = [0.5, 0.51, 0.49, 0.5]
  const far = [0.7, 0.72, 0.7, 0.69]
  const near = [0.72, 0.71, 0.72, 0.7]
  expect(winner({ adam, far })).toBe('far')
  expect(winner({ far, adam })).toBe('far')
  expect(winner({ adam, far, near })).toBeUndefined()
  expect(winner({ adam: [0.5], far: [0.51] })).toBeUndefined()
  // No seed in common, no test.
  expect(winner({ adam: [], far: [0.9] })).toBeUndefined()
  expect(winner({ far })).toBeUndefined()
})

test('a comparison concludes in a sentence', () => {
  const concluded = (results: Readonly<Record<string, readonly number[]>>): string | undefined => {
    const runs = runsOf(results)
    return conclusion(summarizeContenders(runs, Object.keys(results), 1000), runs, 1000)
  }
  const adam = [0.5, 0.51, 0.49]
  const far = [0.7, 0.72, 0.7]
  const near = [0.72, 0.71, 0.72]
  expect(concluded({ adam, far })).toBe('far is better than every other, beyond the noise.')
  expect(concluded({ adam, far, near })).toContain('No winner')
  expect(concluded({ far, near })).toBe('No difference from far was found.')
  expect(concluded({ adam: [0.5], far: [0.9] })).toBe('Too few seeds for a verdict, which needs 3.')
  expect(concluded({ adam })).toBeUndefined()
})

test('the difference from the first contender is tested on the seeds that both have finished', () => {
  const runs = runsOf({ adam: [0.5, 0.51, 0.49, 0.52], far: [0.7, 0.72, 0.7] })
  const [adam, far] = summarizeContenders(runs, ['adam', 'far'], 1000)
  expect(adam.difference).toBeUndefined()
  expect(far.difference?.seeds).toBe(3)
  expectClose(far.difference?.pValue ?? 0, pairedTTest([0.2, 0.21, 0.21]), { relative: 1e-9 })
})
