import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy, writeModel } from '@diffgrad/onnx'
import { bundle } from '@diffgrad/testing/bundle'
import { chromiumPath, chromiumTitle, launchChromium, openPage } from '@diffgrad/testing/chromium'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as ort from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { expectEqualTraining } from './equal-training.ts'
import { trainOnDevice } from './fixtures/device.ts'
import type { JsonBatch, PageBatches, PageReport } from './fixtures/page.ts'
import { smallModel, stripes } from './small-model.ts'

const jsonOf = ({ input, target }: ReturnType<typeof stripes>): JsonBatch => ({
  input: [...input],
  target,
})

/** Serves a page that runs a program, its data, and the runtime's own files. Returns its address. */
async function serve(program: string, batches: PageBatches): Promise<string> {
  const files = new Map<string, readonly [type: string, body: string | Uint8Array]>([
    ['/', ['text/html', '<!doctype html><script type="module" src="/program.mjs"></script>']],
    ['/program.mjs', ['text/javascript', readFileSync(program)]],
    ['/model.onnx', ['application/octet-stream', writeModel(smallModel())]],
    ['/batches.json', ['application/json', JSON.stringify(batches)]],
  ])
  const dist = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web')))
  const server = createServer(({ url = '/' }, response) => {
    const type = url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    const path = join(dist, url)
    const file = files.get(url) ?? (existsSync(path) ? [type, readFileSync(path)] : undefined)
    if (file) response.writeHead(200, { 'content-type': file[0] }).end(file[1])
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('must have a port')
  return `http://127.0.0.1:${address.port}/`
}

/** Opens a page and waits until it reports. */
async function reportOf(address: string, flags: readonly string[]): Promise<PageReport> {
  const browser = await launchChromium(['--disable-gpu', ...flags])
  onTestFinished(() => browser.close())
  const page = await openPage(browser)
  const report = await new Promise<PageReport | string>((resolve) => {
    page.on('pageerror', (error) => resolve(error.message))
    page.exposeFunction('report', resolve).then(() => page.goto(address))
  })
  if (typeof report === 'string') throw new Error(report)
  return report
}

/** Runs WebGPU on the CPU. */
const swiftShader = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

test.skipIf(!chromiumPath).each([
  { provider: 'wasm', steps: 60, flags: [], minAccuracy: 0.9 },
  { provider: 'webgpu', steps: 6, flags: swiftShader, minAccuracy: 0 },
])(
  `a page trains with onnxruntime-web on $provider as Node does, ${chromiumTitle}`,
  async ({ provider, steps, flags, minAccuracy }) => {
    const training = Array.from({ length: steps }, (_, t) => stripes(t))
    const validation = stripes(1000, 64)
    const program = await bundle(import.meta.url, 'page.ts', { platform: 'browser', external: [] })
    const address = await serve(program, {
      training: training.map(jsonOf),
      validation: jsonOf(validation),
    })
    const report = await reportOf(`${address}#${provider}`, flags)
    expect(report.accuracy).toBeGreaterThanOrEqual(minAccuracy)
    expect(report.fallbacks).toEqual([])
    for (const device of report.devices) {
      const [onCpu] = await trainOnDevice(ort, 'cpu', [device.optimizer])
      expectEqualTraining(device, onCpu)
    }

    const trainer = await Trainer.create(ort, smallModel(), {
      loss: crossEntropy(),
      optimizer: { rule: diffGrad, learningRate: 1e-2 },
      dimensions: { batch: 16 },
    })
    const losses: number[] = []
    for (const batch of training.slice(0, 10)) losses.push((await trainer.step(batch)).loss)
    expectClose(report.losses.slice(0, 10), losses, { relative: 1e-4 })
    await trainer.dispose()
  },
)
