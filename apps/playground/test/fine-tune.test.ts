import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  applyOperator,
  buildModel,
  conv,
  globalAveragePool,
  type Layer,
  linear,
  type Model,
  relu,
  sequential,
  writeModel,
} from '@diffgrad/onnx'
import {
  chromiumPath,
  chromiumTitle,
  launchChromium,
  openPage,
  swiftShaderFlags,
} from '@diffgrad/testing/chromium'
import { expectClose } from '@diffgrad/testing/tolerance'
import { pipeline, RawImage } from '@xenova/transformers'
import { unzipSync } from 'fflate'
import * as ort from 'onnxruntime-node'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import {
  drawExamples,
  messagesFile,
  newShapes,
  pictureEdge,
  writeMessages,
} from '../src/fine-tune/example-data.ts'
import type { PathFile } from '../src/fine-tune/files.ts'
import { downloadFromHub } from '../src/fine-tune/model-folder.ts'
import { FineTuning } from '../src/fine-tune/session.ts'
import type { FineTuningEvent } from '../src/fine-tune/training.ts'
import { defaultFineTuning } from '../src/state.ts'
import { type Site, serveSite } from './site.ts'

const folder = mkdtempSync(join(tmpdir(), 'fine-tune-'))
afterAll(() => rmSync(folder, { recursive: true }))

const text = (path: string, content: string): PathFile => ({ path, file: new Blob([content]) })
const onnx = (path: string, model: Model): PathFile => ({
  path,
  file: new Blob([writeModel(model)]),
})

/** A folder of public/models. */
function exampleModel(name: string): readonly PathFile[] {
  const root = new URL(`../public/models/${name}/`, import.meta.url)
  const paths = readdirSync(root, { recursive: true }).map(String)
  return paths
    .filter((path) => path.includes('.'))
    .map((path) => ({
      path: `${name}/${path}`,
      file: new Blob([readFileSync(new URL(path, root))]),
    }))
}

/** Drawn pictures as PNG files in folders. */
const pictures = (perClass: number): Promise<readonly PathFile[]> =>
  Promise.all(
    drawExamples(newShapes, perClass, 3).map(async ({ label, pixels }, i) => {
      const raw = { width: pictureEdge, height: pictureEdge, channels: 3 } as const
      const file = new Blob([new Uint8Array(await sharp(pixels, { raw }).png().toBuffer())])
      return { path: `shapes/${label}/${i}.png`, file }
    }),
  )

const fineTuning = (): FineTuning => new FineTuning(async () => ort)
const settings = { ...defaultFineTuning, provider: 'cpu' as never }

describe('labelled examples', () => {
  test.each([
    [
      [text('a.csv', 'text,date\nhello,today\n')],
      'a.csv: must have a column of labels, named label, class, category, target, sentiment, intent or topic, but has text and date',
    ],
    [[text('a.csv', 'label\nx\n')], 'a.csv: must have a column of texts, named text,'],
    [[text('a.csv', 'text,label\n"open,x\n')], 'a.csv: cannot be read as CSV: Quote Not Closed'],
    [
      [text('a.csv', 'text;label\nx;same\ny;same\n')],
      'examples: must be of at least two classes, but are all of "same"',
    ],
    [
      [text('cats/a.png', ''), text('b.png', '')],
      'examples: each picture must lie in a folder named as its class, but b.png lies in none',
    ],
    [[text('a.txt', '')], 'or a CSV file of texts, but are a.txt'],
  ])('that cannot be learned from are named', async (files, message) => {
    await expect(fineTuning().setExamples(files)).rejects.toThrow(message)
  })

  test('rows without a text or a label are left out', async () => {
    const file = text('a.csv', '\ufeffLabel\tText\nyes\tfine\n\tno label\nno\t"bad, really"\n')
    const { classes, problems } = await fineTuning().setExamples([file])
    expect(classes).toEqual([
      { label: 'no', count: 1 },
      { label: 'yes', count: 1 },
    ])
    expect(problems).toEqual(['rows 3: left out, no text or label'])
  })

  test('texts are cut after 128 tokens, which is said', async () => {
    const session = fineTuning()
    await session.setModel(exampleModel('messages'))
    await session.setExamples([text('a.csv', `text,label\n${'long '.repeat(40)},x\nshort,y\n`)])
    const events: FineTuningEvent[] = []
    await session.prepare(settings, (event) => void events.push(event))
    const cut = { kind: 'problem', text: 'texts of more than 128 tokens: cut' }
    expect(events).toContainEqual(cut)
  })

  test('a picture that cannot be read is left out, and named', async () => {
    const session = fineTuning()
    await session.setModel(exampleModel('shapes'))
    await session.setExamples([
      ...(await pictures(2)),
      text('shapes/planet/broken.png', 'no picture'),
    ])
    const events: FineTuningEvent[] = []
    await session.prepare(settings, (event) => void events.push(event))
    expect(events).toContainEqual({
      kind: 'problem',
      text: 'shapes/planet/broken.png: left out, cannot be read as pictures',
    })
  })
})

describe('models', () => {
  const shape = ['batch', 3, 8, 8]
  const unknown: Layer = (x) =>
    applyOperator(x.graph, 'Mystery', [x], { domain: 'com.example', declaredTypes: [x] }).output()

  test.each([
    [
      [text('notes.txt', '')],
      'model: must be a folder with config.json and onnx/model.onnx, or one .onnx file, but has notes.txt',
    ],
    [
      [text('m/config.json', '{}'), text('m/onnx/model_quantized.onnx', '')],
      'model: must have onnx/model.onnx, but has m/onnx/model_quantized.onnx; quantized weights cannot be trained',
    ],
    [[text('m/config.json', '{'), text('m/onnx/model.onnx', '')], 'config.json: must be JSON'],
    [[text('model.onnx', 'damaged')], 'model'],
    [
      [onnx('m.onnx', buildModel(linear(2), { shape: ['batch', 3], seed: 1 }))],
      'model: must take pictures (float32 of batch × channels × height × width) or texts (input_ids), but takes input (float32 [batch,3])',
    ],
    [
      exampleModel('messages').filter(({ path }) => path !== 'messages/tokenizer.json'),
      'model: must have tokenizer.json, because it reads texts',
    ],
  ])('that cannot be fine-tuned are named', async (files, message) => {
    await expect(fineTuning().setModel(files)).rejects.toThrow(message)
  })

  test('a model whose operators have no gradient, or that reads other examples, is refused by name', async () => {
    const session = fineTuning()
    const network = sequential(conv(4), unknown, globalAveragePool, linear(3))
    await session.setModel([onnx('m.onnx', buildModel(network, { shape, seed: 1 }))])
    await session.setExamples(await pictures(2))
    await expect(session.prepare(settings, () => {})).rejects.toThrow(
      'node "Mystery" (com.example.Mystery): the operator has no gradient rule; train a new head only, which needs no such gradient',
    )
    await session.setExamples([text('a.csv', 'text,label\na,x\nb,y\n')])
    await expect(session.prepare(settings, () => {})).rejects.toThrow(
      'examples: must be pictures for m, but are texts',
    )
  })

  test('a model of the hub is downloaded with what an export needs, and no other weights', async () => {
    const listing = [
      ...['.gitattributes', 'README.md', 'config.json', 'preprocessor_config.json'],
      ...['onnx/model.onnx', 'onnx/model_fp16.onnx', 'onnx/model.onnx_data', 'pytorch_model.bin'],
    ]
    const fetched: string[] = []
    vi.stubGlobal('fetch', async (url: string) => {
      fetched.push(url.replace('https://huggingface.co/', ''))
      if (url.endsWith('none')) return new Response(null, { status: 401 })
      return Response.json({ siblings: listing.map((rfilename) => ({ rfilename })) })
    })
    onTestFinished(() => void vi.unstubAllGlobals())
    const files = await downloadFromHub('owner/model', () => {})
    const wanted = [
      'config.json',
      'preprocessor_config.json',
      'onnx/model.onnx',
      'onnx/model.onnx_data',
    ]
    expect(files.map(({ path }) => path)).toEqual(wanted.map((path) => `owner/model/${path}`))
    expect(fetched).toEqual([
      'api/models/owner/model',
      ...wanted.map((path) => `owner/model/resolve/main/${path}`),
    ])
    await expect(downloadFromHub('owner/none', () => {})).rejects.toThrow(
      'owner/none: cannot be downloaded from huggingface.co: 401',
    )
    await expect(downloadFromHub('../x', () => {})).rejects.toThrow(
      'model: must have a name such as owner/model, but has "../x"',
    )
  })

  test('a bare .onnx without a head gets one, and names that transformers.js knows', async () => {
    const session = fineTuning()
    const network = sequential(conv(8), relu)
    const { notes } = await session.setModel([
      onnx('features.onnx', buildModel(network, { shape, seed: 1 })),
    ])
    expect(notes).toEqual(["Pictures are resized to 8 × 8 and normalized as ImageNet's."])
    await session.setExamples(await pictures(3))
    await session.prepare({ ...settings, method: 'head' }, () => {})
    const losses: number[] = []
    await session.run(20, (event) => void (event.kind === 'step' && losses.push(event.loss)))
    expect(losses).toHaveLength(20)
    write(await session.export(), join(folder, 'bare'))
    const classify = await classifierOf(join(folder, 'bare'), 'image')
    const [{ file }] = await pictures(1)
    const png = Buffer.from(await file.arrayBuffer()).toString('base64')
    const found = await classify(`data:image/png;base64,${png}`)
    expect(found.map(({ label }) => label).toSorted()).toEqual([...newShapes].toSorted())
  })
})

interface Entry {
  readonly path: string
  readonly content: Uint8Array
}

function write(files: readonly Entry[], to: string): void {
  for (const { path, content } of files) {
    mkdirSync(dirname(join(to, path)), { recursive: true })
    writeFileSync(join(to, path), content)
  }
}

/** Classifies texts, or the addresses of pictures, with the pipeline of transformers.js in Node. */
async function classifierOf(path: string, task: 'image' | 'text') {
  if (task === 'text') {
    const classify = await pipeline('text-classification', path, { dtype: 'fp32' })
    return async (text: string) => [await classify(text, { top_k: 10 })].flat(2)
  }
  const classify = await pipeline('image-classification', path, { dtype: 'fp32' })
  return async (url: string) => {
    const picture = await RawImage.fromBlob(await (await fetch(url)).blob())
    return [await classify(picture, { top_k: 10 })].flat(2)
  }
}

/** The execution provider of the page: `pnpm --filter playground fine-tune:webgpu` tests the other one. */
const provider = process.env.FINE_TUNE_PROVIDER ?? 'wasm'

/** SwiftShader takes seconds for a step. */
const [steps, gain] = provider === 'webgpu' ? [25, 0.02] : [40, 0.25]

/** What the server of the page allows: no other server, and no code but the page's. */
const policy = [
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
  "img-src 'self' blob:; style-src 'self'; font-src 'self'",
].join('; ')

describe.skipIf(!chromiumPath)(`fine-tuning ${chromiumTitle}`, () => {
  let site: Site
  let browser: Browser
  let page: Page
  const problems: string[] = []
  /** Requests to other servers, or with data. */
  const foreign: string[] = []

  beforeAll(async () => {
    site = await serveSite(inject('site'), { headers: { 'Content-Security-Policy': policy } })
    browser = await launchChromium(provider === 'webgpu' ? swiftShaderFlags : undefined)
    page = await openPage(browser)
    if (provider === 'webgpu') page.setDefaultTimeout(600_000)
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(error.message))
    const { origin } = new URL(site.url)
    page.context().on('request', (request) => {
      const address = request.url().replace(/^blob:/, '')
      if (request.method() !== 'GET' || !address.startsWith(origin)) foreign.push(request.url())
    })
    await page.goto(`${site.url}#fine-tune?steps=${steps}&engine=${provider}`)
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  /** Waits until so many steps were taken, and returns the average of the last losses and the accuracy. */
  async function finished(steps: number): Promise<{ loss: number; correct: number }> {
    const status = page.locator('.fine-tune[aria-busy=false] .status')
    await status.filter({ hasText: `step ${steps} of ${steps} ` }).waitFor()
    const found = /loss ([\d.]+) · ([\d.]+) % correct/.exec((await status.textContent()) ?? '')
    return { loss: Number(found?.[1]), correct: Number(found?.[2]) / 100 }
  }

  /** Classifies the next held-out example in the page, and returns its content. */
  async function classified(): Promise<{ content: string; best: string; share: number }> {
    await page.evaluate("document.querySelector('.prediction').replaceChildren()")
    await page.click('button.held-out')
    await page.locator('.prediction li').first().waitFor()
    const content = await page.evaluate<string>(`(async () => {
      const quote = document.querySelector('.prediction blockquote')
      if (quote) return quote.textContent
      const image = document.querySelector('.prediction img')
      await image.decode()
      const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight })
      canvas.getContext('2d').drawImage(image, 0, 0)
      return canvas.toDataURL()
    })()`)
    const best = (await page.textContent('.prediction li .label')) ?? ''
    return {
      content,
      best,
      share: Number.parseFloat((await page.textContent('.prediction li .share')) ?? '') / 100,
    }
  }

  /** Downloads the exported folder, and returns its path. */
  async function download(name: string): Promise<string> {
    const started = page.waitForEvent('download')
    await page.click('button.zip')
    const entries = Object.entries(unzipSync(readFileSync(await (await started).path())))
    const path = join(folder, name)
    write(
      entries.map(([entry, content]) => ({ path: entry, content })),
      path,
    )
    const [top] = entries[0][0].split('/')
    return join(path, top)
  }

  test.each([
    ['a new head for pictures', 'image-head', 4, 260],
    [
      'adapters for pictures',
      'image-lora',
      4,
      260 + 4 * (3 * 9 + 12 + 12 * 9 + 24 + 24 * 9 + 48 + 48 * 9 + 64),
    ],
    ['adapters for texts', 'text-lora', 3, 99 + 4 * 2 * (4 * (32 + 32) + 2 * (32 + 64))],
  ] as const)(
    '%s: the loss falls, and the folder predicts the same in Node',
    async (_, demo, classes, weights) => {
      await page.click(`[data-demo=${demo}]`)
      const { loss, correct } = await finished(steps)
      // The cross-entropy and the accuracy of equal probabilities.
      expect(loss).toBeLessThan(Math.log(classes) - gain)
      expect(correct).toBeGreaterThan(1 / classes + gain / 2)
      expect(await page.textContent('.fine-tune .status')).toContain(
        `${weights.toLocaleString('en')} weights are trained`,
      )
      const examples = [await classified(), await classified(), await classified()]
      const path = await download(demo)
      const classify = await classifierOf(path, demo === 'text-lora' ? 'text' : 'image')
      for (const { content, best, share } of examples) {
        const [found] = await classify(content)
        expect(found.label).toBe(best)
        // The page shows whole percents; Node resizes nothing here.
        expectClose(found.score, share, { relative: 0, absolute: 0.006 })
      }
      expect([...problems, ...foreign]).toEqual([])
    },
  )

  test('files of the user’s are trained on without a network, in parts', async () => {
    await page.context().setOffline(true)
    const csv = join(folder, 'messages.csv')
    writeFileSync(csv, messagesFile(writeMessages(60, 9)))
    const [model, examples] = [page.locator('.card').nth(0), page.locator('.card').nth(1)]
    const trained = join(folder, 'text-lora', 'messages-fine-tuned')
    await model.locator('input[webkitdirectory]').setInputFiles(trained)
    await model.getByText('3 classes: complaint, praise, question').waitFor()
    await examples.locator('input[accept*=csv]').setInputFiles(csv)
    await examples.getByText('60 texts').waitFor()
    await page.fill('input[name=steps]', '5')
    await page.press('input[name=steps]', 'Enter')
    await page.click('button.primary')
    await finished(5)
    expect(await page.textContent('.fine-tune .status')).toContain('the head is kept')
    await page.fill('input[name=steps]', '9000')
    await page.press('input[name=steps]', 'Enter')
    await page.click('button.primary')
    await page.locator('.status', { hasText: /^step \d+ of 9005/ }).waitFor()
    await page.click('button.primary')
    await page.locator('button.primary', { hasText: 'Continue' }).waitFor()
    const stopped = await page.textContent('.fine-tune .status')
    await page.fill('input[name=hub]', 'owner/model')
    await page.locator('button', { hasText: /^Download$/ }).click()
    await page
      .getByText(
        'owner/model: cannot be downloaded, because huggingface.co cannot be reached; without a network, drop the folder of a model',
      )
      .waitFor()
    // Nothing is lost: neither the model nor its training.
    expect(await page.textContent('.fine-tune .status')).toBe(stopped)
    expect(await page.textContent('button.primary')).toBe('Continue')
    expect(foreign.filter((url) => !url.startsWith('https://huggingface.co/'))).toEqual([])
  })

  test('a text is classified, and the folder is saved beside another one', async () => {
    await page.fill('input[name=text]', 'When will the bench arrive?')
    await page.press('input[name=text]', 'Enter')
    await page.locator('.prediction li', { hasText: 'question' }).first().waitFor()
    expect(await page.textContent('.prediction .label')).toBe('question')
    // A folder of the origin's private file system takes the place of the user's.
    const listing = await page.evaluate<Record<string, string[]>>(`(async () => {
      const root = await navigator.storage.getDirectory()
      await root.getDirectoryHandle('messages-fine-tuned', { create: true })
      globalThis.showDirectoryPicker = async () => root
      document.querySelector('button.folder').click()
      const status = document.querySelector('.fine-tune .status')
      while (!status.textContent.includes('saved as')) await new Promise(requestAnimationFrame)
      const list = async (folder, path = '') => {
        const files = []
        for await (const [name, entry] of folder)
          files.push(...(entry.kind === 'file' ? [path + name] : await list(entry, path + name + '/')))
        return files
      }
      const found = {}
      for await (const [name, folder] of root) found[name] = (await list(folder)).sort()
      return found
    })()`)
    expect(listing).toEqual({
      'messages-fine-tuned': [],
      'messages-fine-tuned-2': [
        ...['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'],
      ],
    })
  })
})
