import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { bundle } from './bundle.ts'
import { smallModel, stripes } from './digits.ts'
import type { Shown } from './train-in-page.ts'

/** Serves a page that runs a program, and the runtime's own files. */
async function serve(program: string): Promise<string> {
  const dist = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web')))
  const page = '<!doctype html><script type="module" src="/program.mjs"></script>'
  const server = createServer(({ url = '/' }, response) => {
    const [type, body] =
      url === '/'
        ? ['text/html', page]
        : url === '/program.mjs'
          ? ['text/javascript', readFileSync(program)]
          : [url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', runtimeFile(dist, url)]
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('must have a port')
  return `http://127.0.0.1:${address.port}/`
}

const runtimeFile = (dist: string, url: string): Buffer | string =>
  existsSync(join(dist, url)) ? readFileSync(join(dist, url)) : ''

/** WebGPU computed by the processor. */
const software = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** What a program shows in the title of its page. */
async function shownBy(program: string, flags: readonly string[]): Promise<Shown> {
  const started = await launchChromium(['--disable-gpu', ...flags])
  onTestFinished(() => started.close())
  const page = await openPage(started)
  page.on('console', (message) => console.log(message.text()))
  page.on('pageerror', (error) => console.log(error.message))
  await page.goto(await serve(program))
  await page.waitForFunction('document.title !== ""')
  return JSON.parse(await page.title())
}

test.skipIf(!chromiumPath).each([
  { on: 'WebAssembly', page: 'page.ts', flags: [], atLeast: 0.9, onCpu: [] },
  {
    on: 'WebGPU',
    page: 'webgpu-page.ts',
    flags: software,
    atLeast: 0,
    onCpu: ['LogSoftmax', 'OneHot'],
  },
])(
  `a page trains with onnxruntime-web on $on as Node does, ${chromiumTitle}`,
  async ({ page, flags, atLeast, onCpu }) => {
    const program = await bundle(page, { platform: 'browser', external: [] })
    const { losses, accuracy, fallbacks } = await shownBy(program, flags)
    expect(accuracy).toBeGreaterThan(atLeast)
    expect(fallbacks).toEqual(onCpu)
    const trainer = await Trainer.create(ort, smallModel(), {
      loss: crossEntropy(),
      optimizer: { rule: diffGrad, learningRate: 1e-2 },
      dimensions: { batch: 16 },
    })
    for (const [t, loss] of losses.slice(0, 10).entries())
      expect((await trainer.step(stripes(t))).loss).toBeCloseTo(loss, 4)
    await trainer.dispose()
  },
)
