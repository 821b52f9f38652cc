import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { run, scratch, start, tiny } from './command.ts'
import { serve } from './data/serve.ts'
import { photographs } from './photographs.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const [before, data, out] = ['before', 'now', 'run'].map((name) => join(folder, name))
const evaluate = ['evaluate', out, '--data', data]

beforeAll(async () => {
  await photographs(before)
  await run(['train', '--data', before, '--out', out, ...tiny, '--epochs', '1'], cache)
  renameSync(before, data)
}, 120_000)

test('a run is judged and resumed on data that was moved, and its new place is kept', async () => {
  expect((await run(['evaluate', out], cache)).errors).toContain(`no folder or archive ${before}`)
  const judged = await run(evaluate, cache)
  expect(judged.code).toBe(0)
  expect(judged.output).toContain('on 30 validation pictures')
  expect(judged.errors).not.toContain('not as it was')
  expect((await run(['resume', out, '--data', data], cache)).errors).toBe('')
  expect((await run(['resume', out], cache)).errors).toBe('')
  expect((await run(['evaluate', out], cache)).code).toBe(0)
})

test('Ctrl-C while a run that goes on opens its data says how to go on', async () => {
  const address = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 92_612_825 })
    response.write(new Uint8Array(100_000))
  })
  const args = ['resume', out, '--data', 'imagewoof2-160']
  const { child, ended } = start(args, cache, { IMAGEWOOF_ADDRESS: address })
  child.stdout?.once('data', () => child.kill('SIGINT'))
  const { code, output, errors } = await ended
  expect(`${code} ${errors}`).toBe('130 ')
  expect(output).toContain(`to go on  npm start -- ${args.join(' ')}`)
})

test('a run is not resumed on squares of another version', async () => {
  const path = join(out, 'environment.json')
  const text = readFileSync(path, 'utf8')
  const { version } = JSON.parse(text).data
  writeFileSync(path, text.replace(`"version": ${version}`, '"version": 0'))
  const { code, errors } = await run(['resume', out, '--data', data], cache)
  expect(code).toBe(1)
  expect(errors).toContain(`must be as it was, but it is decoded by version ${version}, not 0`)
  writeFileSync(path, text)
})

test('other pictures of the same classes are judged, but said to be others', async () => {
  rmSync(join(data, 'val', 'rows', '1.jpeg'))
  const { code, output, errors } = await run(evaluate, cache)
  expect(code).toBe(0)
  expect(output).toContain('on 29 validation pictures')
  expect(errors).toContain('the data is not as it was: its SHA-256 is')
})

test('pictures of other classes are not judged', async () => {
  for (const split of ['train', 'val'])
    renameSync(join(data, split, 'columns'), join(data, split, 'uprights'))
  const { code, errors } = await run(evaluate, cache)
  expect(code).toBe(1)
  expect(errors).toContain('must be columns, noise, rows, but are noise, rows, uprights')
})
