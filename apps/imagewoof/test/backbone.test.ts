import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type Model, readModel } from '@diffgrad/onnx'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { run, scratch, tiny } from './command.ts'
import { photographs } from './photographs.ts'
import { historyOf } from './weights.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const exported = join(folder, 'first', 'export')
const data = join(folder, 'two')
const [common, fine] = [
  ['--size', '20', '--batch', '8', '--threads', '1', '--learning-rate', '0.01'],
  ['--data', data, '--epochs', '2'],
]

beforeAll(async () => {
  const first = await photographs(join(folder, 'three'))
  await photographs(data, { classes: ['columns', 'rows'] })
  const out = join(folder, 'first')
  await run(['train', '--data', first, '--out', out, ...tiny, '--epochs', '1'], cache)
  expect((await run(['export', out], cache)).errors).toBe('')
}, 120_000)

const modelIn = (path: string): Model => readModel(readFileSync(path))

/** Which parameters differ between two models of the same names. */
function changed(before: Model, after: Model): readonly string[] {
  return [...before.initializers].flatMap(([name, tensor]) => {
    const other = after.initializers.get(name)
    if (tensor.type !== 'float32' || other?.type !== 'float32') return []
    return Buffer.compare(bytesOf(tensor.data), bytesOf(other.data)) === 0 ? [] : [name]
  })
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

test('with --tune head only the head of a backbone moves, and has the classes of the data', async () => {
  const out = join(folder, 'head')
  const { errors } = await run(
    ['train', '--backbone', exported, '--tune', 'head', ...common, ...fine, '--out', out],
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

test('with --tune all a backbone moves as a whole, statistics included, and can be resumed', async () => {
  const out = join(folder, 'all')
  await run(['train', '--backbone', exported, ...common, ...fine, '--out', out], cache)
  await run(['export', out], cache)
  const start = modelIn(join(out, 'backbone.onnx'))
  const moved = changed(start, modelIn(join(out, 'export', 'onnx', 'model.onnx')))
  expect(moved.length).toBeGreaterThan(60)
  expect(moved.some((name) => name.endsWith('running_mean'))).toBe(true)
  const { code, errors } = await run(['resume', out], cache)
  expect(`${code} ${errors}`).toBe('0 ')
})

test('a backbone of the hub is fetched, and one of other statistics sees the same pictures', async () => {
  const processor = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const file = url.match(/^\/owner\/model\/resolve\/main\/(.+)$/)?.[1]
    const body = file?.startsWith('preprocessor')
      ? JSON.stringify(processor)
      : file && readFileSync(join(exported, file))
    response.writeHead(body ? 200 : 404).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('must have a port')
  const environment = { HF_ENDPOINT: `http://127.0.0.1:${address.port}` }
  const out = join(folder, 'hub')
  const args = ['train', '--backbone', 'owner/model', ...common, ...fine, '--out', out]
  const { errors } = await run(args, cache, environment)
  expect(errors).toBe('')
  expect(asked).toHaveLength(3)
  expect(historyOf(out).epochs).toHaveLength(2)
  const model = modelIn(join(out, 'backbone.onnx'))
  expect(model.nodes.slice(0, 2).map(({ operator }) => operator)).toEqual(['Mul', 'Add'])
  // (x·σ + μ − ½) / ½ for a red value x.
  const [scale, shift] = ['scale', 'shift'].map((name) =>
    model.initializers.get(`renormalization/${name}`),
  )
  expect(scale?.type === 'float32' && scale.data[0]).toBeCloseTo(0.229 / 0.5)
  expect(shift?.type === 'float32' && shift.data[0]).toBeCloseTo((0.485 - 0.5) / 0.5)
  const missing = await run(
    [...args.slice(0, 2), 'owner/none', ...args.slice(3)],
    cache,
    environment,
  )
  expect(missing.code).toBe(1)
  expect(missing.errors).toContain('owner/none/resolve/main/config.json: cannot be fetched: 404')
})

test('what is no backbone is refused by name', async () => {
  const other = join(folder, 'other')
  const refused = async (backbone: string) => {
    const args = ['train', '--backbone', backbone, ...common, ...fine, '--out', other]
    return (await run(args, cache)).errors
  }
  await writeFile(join(folder, 'file'), 'no folder')
  expect(await refused(join(folder, 'file'))).toContain('must be a folder, or a name of the hub')
  expect(await refused(data)).toContain('cannot be used: ENOENT')
})
