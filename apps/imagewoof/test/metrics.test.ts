import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { differencePValue, holm, pairedTTest } from '../src/compare/significance.ts'
import { summarizeContenders, winnerOf } from '../src/compare/summary.ts'
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

test('a difference must exceed the sampling error of the images as well as that of the seeds', () => {
  // The same difference with every seed: 2 scipy.stats.norm.sf(0.04 / sqrt(2 p (1 - p) / 1000)), p = 0.68.
  const close = { relative: 1e-5 }
  const same = { first: [0.7, 0.7], second: [0.66, 0.66] }
  expectClose(differencePValue(same, 1000), 0.055185550991133904, close)
  expectClose(differencePValue({ first: [0.7], second: [0.66] }, 1000), 0.0551855, close)
  // Seeds that differ by more than the images.
  const noisy = { first: [0.7, 0.6], second: [0.5, 0.59] }
  expectClose(differencePValue(noisy, 1e6), pairedTTest([0.2, 0.01]), close)
})

test('p-values are corrected as by p.adjust of R with method "holm"', () => {
  expectClose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], exact)
  expect(holm([0.6, 0.7])).toEqual([1, 1])
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

test('the difference from the first contender is tested on the seeds that both have finished', () => {
  const runs = runsOf({ adam: [0.5, 0.51, 0.49], far: [0.7, 0.72] })
  const [adam, far] = summarizeContenders(runs, ['adam', 'far'], 1000)
  expect(adam.difference.pValue).toBeUndefined()
  expect(far.difference.seeds).toBe(2)
  expectClose(far.difference.pValue ?? 0, pairedTTest([0.2, 0.21]), { relative: 1e-9 })
})
