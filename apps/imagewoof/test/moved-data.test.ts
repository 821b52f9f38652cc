import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, run, start, tinyNetwork } from './command.ts'
import { temporaryFolder, writePatterns } from './images.ts'
import { serveStalledArchive } from './server.ts'

const template = fileFolder()
const original = join(template, 'original')

/** Trains a run in the template folder, and moves its data. */
beforeAll(async () => {
  await writePatterns(original)
  const train = ['train', '--data', original, ...tinyNetwork, '--epochs', '1']
  await run([...train, '--out', join(template, 'run')], join(template, 'cache'))
  renameSync(original, join(template, 'moved'))
})

/** Copies the template to a folder of the test. */
function copyRun() {
  const folder = temporaryFolder()
  cpSync(template, folder, { recursive: true })
  return {
    cache: join(folder, 'cache'),
    data: join(folder, 'moved'),
    out: join(folder, 'run'),
  }
}

test('a run is evaluated and resumed on moved data, whose path belongs to the command', async () => {
  const { cache, data, out } = copyRun()
  const missing = await run(['evaluate', out], cache)
  expect(missing.errors).toContain(`no folder or archive ${original}`)
  const { code, output, errors } = await run(['evaluate', out, '--data', data], cache)
  expect(code).toBe(0)
  expect(output).toContain('on 30 validation images')
  expect(errors).not.toContain('the data has changed')
  const config = readFileSync(join(out, 'config.json'), 'utf8')
  expect((await run(['resume', out, '--data', data], cache)).errors).toBe('')
  expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe(config)
})

test('Ctrl-C while a resumed run opens its data prints how to resume', async () => {
  const { cache, out } = copyRun()
  const address = await serveStalledArchive()
  const args = ['resume', out, '--data', 'imagewoof2-160']
  const { child, ended } = start(args, cache, { IMAGEWOOF_ADDRESS: address })
  child.stdout?.once('data', () => child.kill('SIGINT'))
  const { code, output, errors } = await ended
  expect(`${code} ${errors}`).toBe('130 ')
  expect(output).toContain(`to resume  npm start -- ${args.join(' ')}`)
})

test('a run is not resumed on images decoded by another version', async () => {
  const { cache, data, out } = copyRun()
  const path = join(out, 'environment.json')
  const text = readFileSync(path, 'utf8')
  const { version } = JSON.parse(text).data
  writeFileSync(path, text.replace(`"version": ${version}`, '"version": 0'))
  const { code, errors } = await run(['resume', out, '--data', data], cache)
  expect(code).toBe(1)
  expect(errors).toContain(`must be unchanged, but it is decoded by version ${version}, not 0`)
})

test('other images of the same classes are evaluated with a warning', async () => {
  const { cache, data, out } = copyRun()
  rmSync(join(data, 'val', 'rows', '1.jpeg'))
  const { code, output, errors } = await run(['evaluate', out, '--data', data], cache)
  expect(code).toBe(0)
  expect(output).toContain('on 29 validation images')
  expect(errors).toContain('the data has changed: its SHA-256 is')
})

test('images of other classes are not evaluated', async () => {
  const { cache, data, out } = copyRun()
  for (const split of ['train', 'val'])
    renameSync(join(data, split, 'columns'), join(data, split, 'verticals'))
  const { code, errors } = await run(['evaluate', out, '--data', data], cache)
  expect(code).toBe(1)
  expect(errors).toContain('must be columns, noise, rows, but are noise, rows, verticals')
})

test('a share, patterns and a number of images are settings: saved, used by evaluate and resume, part of the identity', async () => {
  const folder = temporaryFolder()
  const [cache, data, out] = ['cache', 'data', 'run'].map((name) => join(folder, name))
  for (const name of ['rows', 'columns'])
    cpSync(join(template, 'moved', 'train', name), join(data, name), { recursive: true })
  const patterns = '[0-3].jpeg,rows/5.jpeg'
  const settings = ['--validation', '0.4', '--exclude', patterns, '--train-images', '16']
  const train = ['train', '--data', data, ...tinyNetwork, '--epochs', '1', ...settings]
  const { code, output } = await run([...train, '--out', out], cache)
  expect(code).toBe(0)
  expect(output).toContain('40 % were drawn for validation')
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))
  const { validation: share, exclude, trainImages } = config
  expect([share, exclude, trainImages]).toEqual([0.4, ['[0-3].jpeg', 'rows/5.jpeg'], 16])
  const environment = JSON.parse(readFileSync(join(out, 'environment.json'), 'utf8'))
  const { train: trained, validation, warnings } = environment.data
  expect(trained).toBe(16)
  expect(validation).toBeLessThan(39 - 16)
  expect(warnings.at(-1)).toContain(`There are only ${validation} validation images`)
  const moved = join(folder, 'elsewhere')
  renameSync(data, moved)
  const evaluated = await run(['evaluate', out, '--data', moved], cache)
  expect(evaluated.output).toContain(`on ${validation} validation images`)
  expect(evaluated.errors).not.toContain('the data has changed')
  expect((await run(['resume', out, '--data', moved], cache)).errors).toBe('')
  const other = { ...config, trainImages: 17 }
  writeFileSync(join(out, 'config.json'), JSON.stringify(other))
  const resumed = await run(['resume', out, '--epochs', '2', '--data', moved], cache)
  expect(resumed.errors).toContain('the data must be unchanged')
})
