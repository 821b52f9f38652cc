import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readModel } from '@diffgrad/onnx'
import { chromiumPath, chromiumTitle, launchChromium } from '@diffgrad/testing/chromium'
import { expectClose } from '@diffgrad/testing/tolerance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExportedPage, openPipelines } from './chromium.ts'
import { fileFolder, narrowNetwork, run } from './command.ts'
import { writePatterns, writePhotographs } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const trained = join(folder, 'run')

/** A prediction of `evaluate --json`. */
interface Prediction {
  readonly file: string
  readonly predicted: string
  readonly probability: number
}
let predictions: readonly Prediction[] = []

/** The predictions for generated photographs. */
const photographs = (): readonly Prediction[] =>
  predictions.filter(({ file }) => file.startsWith('val/noise/photographs-'))

beforeAll(async () => {
  await writePatterns(data)
  await writePhotographs(join(data, 'val/noise'), 'photographs-')
  const options = ['--epochs', '3', '--learning-rate', '0.01', '--size', '25']
  const { errors } = await run(
    ['train', '--data', data, '--out', trained, ...narrowNetwork, ...options],
    cache,
  )
  expect(errors).toBe('')
  const { output } = await run(['evaluate', trained, '--json'], cache)
  predictions = JSON.parse(output).predictions
})

test('the pipeline of transformers.js predicts what evaluate predicts', async () => {
  expect(predictions).toHaveLength(54)
  expect(new Set(predictions.map(({ predicted }) => predicted)).size).toBeGreaterThan(1)
  const files = predictions.map(({ file }) => join(data, file))
  const { code, output } = await run(['predict', trained, ...files, '--json', '--top', '1'], cache)
  expect(code).toBe(0)
  const found: readonly { classes: readonly { label: string; probability: number }[] }[] =
    JSON.parse(output)
  for (const [i, { classes }] of found.entries()) {
    expect(classes[0].label).toBe(predictions[i].predicted)
    expectClose(classes[0].probability, predictions[i].probability, { relative: 1e-3 })
  }
})

test('transformers.js in Node classifies image files of all kinds as evaluate does', async () => {
  const { env, pipeline } = await import('@xenova/transformers')
  env.allowRemoteModels = false
  const classify = await pipeline('image-classification', join(trained, 'export'), {
    dtype: 'fp32',
  })
  for (const { file, predicted, probability } of photographs()) {
    const [best] = [await classify(join(data, file), { top_k: 1 })].flat(2)
    expect([file, best.label]).toEqual([file, predicted])
    expectClose(best.score, probability, { relative: 1e-2 })
  }
  // transformers.js would stack images of 101 × 67 and 67 × 101 pixels without a complaint.
  const batch = photographs().map(({ file }) => join(data, file))
  await expect(classify([batch[1], batch[2]])).rejects.toThrow('Got: 2 Expected: 1')
  await classify.dispose()
})

test('an exported model takes images of any size, and its metadata has classes and normalization', async () => {
  const file = readFileSync(join(trained, 'export', 'onnx', 'model.onnx'))
  const [input] = readModel(file).inputs
  expect([input.name, input.shape]).toEqual(['pixel_values', [1, 'channels', 'height', 'width']])
  for (const text of ['classes', '["columns","noise","rows"]', 'size', '[0.485,0.456,0.406]'])
    expect(file.includes(text)).toBe(true)
})

test('an export has a model card with results, classes and usage', async () => {
  const card = readFileSync(join(trained, 'export', 'README.md'), 'utf8')
  expect(card).toMatch(/top-1 accuracy \d+\.\d % ± \d+\.\d on 54 validation images/)
  expect(card).toContain('0. columns\n1. noise\n2. rows')
  expect(card).toContain("pipeline('image-classification'")
})

test('predict prints the classes of the data by descending probability', async () => {
  const image = join(data, predictions[0].file)
  const { output } = await run(['predict', join(trained, 'export'), image], cache)
  const [first, ...rows] = output.trim().split('\n')
  expect(first).toBe(image)
  const found = rows.map((row) => row.trim().split(/ % +/))
  expect(found.map(([, label]) => label).toSorted()).toEqual(['columns', 'noise', 'rows'])
  const shares = found.map(([share]) => Number(share))
  expect(shares).toEqual(shares.toSorted((a, b) => b - a))
})

test('a folder with other files is not replaced by an export', async () => {
  const other = join(folder, 'other')
  await mkdir(other)
  await writeFile(join(other, 'notes.txt'), 'text')
  const { code, errors } = await run(['export', trained, '--out', other], cache)
  expect(code).toBe(1)
  expect(errors).toBe(
    `error: export folder ${other}: cannot be written: it holds notes.txt, which is not part of an export\n`,
  )
  expect(readdirSync(other)).toEqual(['notes.txt'])
  const again = await run(['export', trained, '--out', join(trained, 'export')], cache)
  expect(again.code).toBe(0)
})

test('an image that cannot be read does not stop the others from being classified', async () => {
  const good = join(data, predictions[0].file)
  const { code, output, errors } = await run(['predict', trained, '/none.jpg', good], cache)
  expect(code).toBe(1)
  expect(errors).toContain('error: /none.jpg: there is no such file')
  expect(output.split('\n')[0]).toBe(good)
})

describe.skipIf(!chromiumPath)(`an exported folder, ${chromiumTitle}`, () => {
  let chromium: Awaited<ReturnType<typeof launchChromium>>
  beforeAll(async () => {
    chromium = await launchChromium()
  })
  afterAll(() => chromium.close())

  test('classifies photographs of all kinds as evaluate does, by transformers.js', async () => {
    const classify = await openPipelines(chromium, { exported: join(trained, 'export') }, data)
    for (const { file, predicted, probability } of photographs()) {
      const [label, found] = await classify('exported', file)
      expect([file, label]).toEqual([file, predicted])
      expectClose(found, probability, { relative: 0.05 })
    }
  })

  test('classifies files that are dropped on its page, without a network', async () => {
    const { page, requests, shown } = await openExportedPage(chromium, join(trained, 'export'))
    const files = photographs().map(({ file }) => join(data, file))
    // The page accepts every file that is dropped, so a script drops them.
    const dropped = await Promise.all(
      files.map(async (path) => [basename(path), (await readFile(path)).toString('base64')]),
    )
    dropped.push(['notes.txt', 'bm8gcGljdHVyZQ=='], ['phone.heic', 'AAAA'], ['empty.jpg', ''])
    await page.evaluate(`{
      const transfer = new DataTransfer()
      for (const [name, content] of ${JSON.stringify(dropped)})
        transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name))
      document.querySelector('form').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
    }`)
    const cards = await shown(dropped.length)
    expect(cards.map(({ file }) => file)).toEqual(dropped.map(([name]) => name))
    for (const [i, { predicted, probability }] of photographs().entries()) {
      const { labels, percentages } = cards[i]
      expect([files[i], labels[0]]).toEqual([files[i], predicted])
      expectClose(percentages[0] / 100, probability, { relative: 0.05 })
      expect(labels.toSorted()).toEqual(['columns', 'noise', 'rows'])
      expect(percentages).toEqual(percentages.toSorted((a, b) => b - a))
    }
    expect(cards.slice(-3).map(({ problem }) => problem)).toEqual([
      'This browser cannot read it as a picture: it is damaged, or of another kind, such as text.',
      'This browser cannot read HEIC photographs. Save it as JPEG first.',
      'This file is empty.',
    ])
    expect(await page.textContent('#status')).toBe('24 of 27 classified, 3 cannot be read.')
    // The page itself, data that it holds, and the pictures that were dropped.
    expect(requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([])
  })

  test('classifies files that are chosen, and its button can be reached with the keyboard', async () => {
    const { page, shown } = await openExportedPage(chromium, join(trained, 'export'))
    const input = page.getByLabel('Drop pictures here, or choose them')
    await input.focus()
    expect(await page.evaluate('document.activeElement.type')).toBe('file')
    await input.setInputFiles(join(data, predictions[0].file))
    const [{ labels }] = await shown(1)
    expect(labels[0]).toBe(predictions[0].predicted)
  })
})
