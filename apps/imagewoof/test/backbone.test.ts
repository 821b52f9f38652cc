import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Model, readModel, writeModel } from '@diffgrad/onnx'
import { expectClose } from '@diffgrad/testing/tolerance'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, historyOf, narrowNetwork, run } from './command.ts'
import { writePatterns } from './images.ts'
import { serve } from './server.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const exported = join(folder, 'first', 'export')
const data = join(folder, 'two-classes')
const fineTune = [
  ...['--size', '20', '--batch', '8', '--threads', '1', '--learning-rate', '0.01'],
  ...['--data', data, '--epochs', '2'],
]

beforeAll(async () => {
  const first = await writePatterns(join(folder, 'three-classes'))
  await writePatterns(data, { classes: ['columns', 'rows'] })
  const out = join(folder, 'first')
  await run(['train', '--data', first, '--out', out, ...narrowNetwork, '--epochs', '1'], cache)
  expect((await run(['export', out], cache)).errors).toBe('')
})

const modelIn = (path: string): Model => readModel(readFileSync(path))

/** Names of the float initializers that differ between two models. */
function changed(before: Model, after: Model): readonly string[] {
  return [...before.initializers].flatMap(([name, tensor]) => {
    const other = after.initializers.get(name)
    if (tensor.type !== 'float32' || other?.type !== 'float32') return []
    return Buffer.compare(bytesOf(tensor.data), bytesOf(other.data)) === 0 ? [] : [name]
  })
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

test('--tune head trains only the head of a backbone, which has the classes of the data', async () => {
  const out = join(folder, 'head')
  const { errors } = await run(
    ['train', '--backbone', exported, '--tune', 'head', ...fineTune, '--out', out],
    cache,
  )
  expect(errors).toBe('')
  expect((await run(['export', out], cache)).errors).toBe('')
  const start = modelIn(join(out, 'backbone.onnx'))
  const end = modelIn(join(out, 'export', 'onnx', 'model.onnx'))
  expect(end.outputs[0].shape).toEqual(['batch', 2])
  const head = changed(start, end)
  expect(head).toHaveLength(2)
  expect(changed(modelIn(join(exported, 'onnx', 'model.onnx')), start).toSorted()).toEqual(
    head.toSorted(),
  )
})

test('--tune all trains the whole backbone and its running statistics, and can be resumed', async () => {
  const out = join(folder, 'all')
  await run(['train', '--backbone', exported, ...fineTune, '--out', out], cache)
  await run(['export', out], cache)
  const start = modelIn(join(out, 'backbone.onnx'))
  const moved = changed(start, modelIn(join(out, 'export', 'onnx', 'model.onnx')))
  expect(moved.length).toBeGreaterThan(60)
  expect(moved.some((name) => name.endsWith('running_mean'))).toBe(true)
  const { code, errors } = await run(['resume', out], cache)
  expect(`${code} ${errors}`).toBe('0 ')
})

test('a hub model is downloaded once, and its input is renormalized', async () => {
  const preprocessor = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }
  const requests: string[] = []
  const network = writeModel(readModel(readFileSync(join(folder, 'head', 'backbone.onnx'))))
  const address = await serve(({ url = '' }, response) => {
    requests.push(url)
    const file = url.match(/^\/owner\/model\/resolve\/main\/(.+)$/)?.[1]
    const body = file?.startsWith('preprocessor')
      ? JSON.stringify(preprocessor)
      : file?.endsWith('.onnx')
        ? network
        : file && readFileSync(join(exported, file))
    response.writeHead(body ? 200 : 404).end(body)
  })
  const environment = { HF_ENDPOINT: address.replace(/\/$/, '') }
  const out = join(folder, 'hub')
  const train = (model: string, path = out) => [
    ...['train', '--backbone', model, ...fineTune, '--out', path],
  ]
  const { errors } = await run(train('owner/model'), cache, environment)
  expect(errors).toBe('')
  expect(requests).toHaveLength(3)
  expect(historyOf(out).epochs).toHaveLength(2)
  const model = modelIn(join(out, 'backbone.onnx'))
  expect(model.nodes.slice(0, 2).map(({ operator }) => operator)).toEqual(['Mul', 'Add'])
  // A red value x, normalized by ImageNet's statistics, becomes (x·σ + μ − ½) / ½.
  const [scale, shift] = ['scale', 'shift'].map((name) => {
    const tensor = model.initializers.get(`renormalization/${name}`)
    return tensor?.type === 'float32' ? Number(tensor.data[0]) : Number.NaN
  })
  expectClose(scale, 0.229 / 0.5, { relative: 1e-6 })
  expectClose(shift, (0.485 - 0.5) / 0.5, { relative: 1e-6 })
  const missing = await run(train('owner/none', join(folder, 'missing')), cache, environment)
  expect(missing.code).toBe(1)
  expect(missing.errors).toContain('owner/none/resolve/main/config.json: cannot be downloaded: 404')
})

test('a source that is not a backbone is named in the error', async () => {
  const out = join(folder, 'no-backbone')
  const errorOf = async (backbone: string) => {
    const args = ['train', '--backbone', backbone, ...fineTune, '--out', out]
    return (await run(args, cache)).errors
  }
  await writeFile(join(folder, 'file'), 'not a folder')
  expect(await errorOf(join(folder, 'file'))).toContain('must be a folder, or a hub model')
  expect(await errorOf(data)).toContain('cannot be used: ENOENT')
})
