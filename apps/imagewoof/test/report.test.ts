import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { resolveConfig } from '../src/config/config.ts'
import { chart, chartFile } from '../src/report/chart.ts'
import { distanceQuantile, distanceShares } from '../src/report/friction-charts.ts'
import { html } from '../src/report/page.ts'
import { rateChart } from '../src/report/run-charts.ts'
import { writeRunReport } from '../src/report/run-report.ts'
import { frictionEdges, isFrictionRecorded } from '../src/run/history.ts'
import { RunFolder } from '../src/run/run-folder.ts'
import { temporaryFolder } from './images.ts'

const classes = ['<b>bold</b>', 'plain']
const row = {
  trainLoss: 0.9,
  trainAccuracy: 0.6,
  validationLoss: 0.7,
  top1: 0.75,
  top5: 1,
  learningRate: 1e-3,
  seconds: 61,
  imagesPerSecond: 80,
}

/** A histogram of ξ with `count` parameters at each of a few values. */
function histogramOf(points: readonly (readonly [xi: number, count: number])[]) {
  const counts = frictionEdges
    .slice(1)
    .map((edge, i) =>
      points.reduce((sum, [xi, n]) => sum + (frictionEdges[i] <= xi && xi < edge ? n : 0), 0),
    )
  return { edges: frictionEdges, counts, outside: 0, mean: 0.5001 }
}

test.each([1e-3, 1e-30])('a chart is drawn for learning rates of about %f', (rate) => {
  const { markup } = chart(
    rateChart([
      [0, rate],
      [1, rate / 2],
    ]),
    'Learning rate',
  )
  expect(markup).toContain('<svg')
})

test('a chart in a file has its size, its background, and the colours of both schemes', () => {
  const rates = rateChart([
    [0, 1],
    [1, 0.5],
  ])
  const file = chartFile(rates, 'Rates <of> steps', { width: 640, height: 280 })
  expect(file).toMatch(
    /^<svg width="640" height="280" role="img" aria-label="Rates &lt;of&gt; steps"/,
  )
  expect(file).toContain('<rect width="640" height="280" x="0" y="0" fill="var(--surface)"')
  expect(file.match(/--surface: #\w+/g)).toHaveLength(2)
  expect(file).not.toMatch(/class=|data-hover/)
})

test('a report loads nothing else, and escapes its input', async () => {
  const path = join(temporaryFolder(), 'run')
  const environment = {
    began: '2026-01-02T03:04:05.000Z',
    node: 'v22',
    system: 'linux',
    processor: 'x',
    cores: 2,
    engine: 'onnxruntime-node 1',
    data: { name: 'two', hash: 'abc123', version: 1, classes, train: 640, validation: 8 },
  }
  const folder = await RunFolder.create(path, resolveConfig({ epochs: 2 }), environment)
  await folder.saveHistory({
    losses: Array.from({ length: 20 }, (_, i) => 2 - i / 20),
    epochs: [1, 2].map((epoch) => ({ ...row, epoch })),
    friction: [4, 9, 14, 19].map((step) => ({
      step,
      histogram: histogramOf([
        [0.5, 9],
        [0.51, 1],
      ]),
    })),
  })
  await folder.saveEvaluation({
    epoch: 2,
    loss: 0.7,
    top1: 0.75,
    top5: 1,
    classes,
    matrix: [
      [3, 1],
      [1, 3],
    ],
    confused: [
      {
        actual: classes[0],
        predicted: 'plain',
        count: 1,
        examples: [
          { file: 'a"b.jpeg', probability: 0.9, thumbnail: 'data:image/jpeg;base64,AA==' },
        ],
      },
    ],
  })
  const report = await readFile(await writeRunReport(folder), 'utf8')
  // Three charts in one size; two of the friction, wide and narrow.
  expect(report.match(/role="img"/g)).toHaveLength(7)
  expect(report).toContain('&lt;b&gt;bold&lt;/b&gt;</b> classified as <b>plain</b>')
  expect(report).not.toContain('<b>bold</b>')
  expect(report).toContain('a&quot;b.jpeg')
  expect(report).toContain('abc123')
  expect(report).toContain('2 min 02 s')
  expect(report).toContain('<b>0.500100</b>')
  // XML namespaces are the only addresses, and nothing is loaded from them.
  const addresses = report.match(/(?:https?:)?\/\/[\w.-]+/g) ?? []
  expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org']))
})

test('the distribution of |ξ − ½| counts both sides', () => {
  const histogram = histogramOf([
    [0.5, 50],
    [0.5 + 2e-6, 20],
    [0.5 - 2e-6, 20],
    [0.9, 10],
  ])
  expect(distanceShares(histogram).filter((share) => share > 0)).toEqual([0.5, 0.4, 0.1])
  expect(distanceQuantile(histogram, 0.5)).toBe(1e-7)
  expectClose(distanceQuantile(histogram, 0.8), 10 ** -5.5, { relative: 1e-12 })
  expect(distanceQuantile(histogram, 0.99)).toBe(0.5)
})

test('ξ is recorded at the last batch of every epoch, and at even distances before it', () => {
  const recorded = [...Array(141).keys()].filter((batch) => isFrictionRecorded(batch, 141))
  expect(recorded).toEqual([32, 68, 104, 140])
  expect([0, 1, 2].filter((batch) => isFrictionRecorded(batch, 3))).toEqual([0, 1, 2])
})

test('templates escape their values, except markup', () => {
  const inner = html`<i>${'<'}</i>`
  expect(html`<p title="${'"'}">${[inner, '&', 3]}</p>`.markup).toBe(
    '<p title="&quot;"><i>&lt;</i>&amp;3</p>',
  )
})
