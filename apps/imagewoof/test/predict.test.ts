import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, run, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const trained = join(folder, 'run')
const photographs = join(folder, 'photographs')
const good = ['2024, "best"/rows.jpeg', 'noise\n.JPG', 'ümlaut x.jpeg']

beforeAll(async () => {
  await writePatterns(data, { train: 8, validation: 2 })
  const train = ['train', '--data', data, '--out', trained, ...tinyNetwork, '--epochs', '1']
  expect((await run(train, cache)).errors).toBe('')
  await mkdir(join(photographs, '2024, "best"'), { recursive: true })
  for (const [i, name] of ['rows', 'noise', 'columns'].entries())
    await copyFile(join(data, 'val', name, '0.jpeg'), join(photographs, good[i]))
  await writeFile(join(photographs, 'broken.jpg'), 'this is no image')
  await writeFile(join(photographs, 'notes.txt'), 'text')
  await writeFile(join(photographs, '.hidden.jpg'), 'text')
  await symlink(join(folder, 'none.jpg'), join(photographs, 'gone.jpg'))
  execFileSync('mkfifo', [join(photographs, 'pipe.jpg')])
})

test('predict classifies folders, as CSV with a row for every file, readable or not', async () => {
  const { code, output, errors } = await run(
    ['predict', trained, photographs, join(folder, 'missing.jpg'), '--csv', '--top', '9'],
    cache,
  )
  expect(code).toBe(1)
  expect(errors).toContain('error: 3 of 6 files cannot be classified\n')
  expect(errors).toMatch(/photographs: 3 left out: /)
  for (const reason of ['hidden', 'FIFO', 'not the name of an image'])
    expect(errors).toContain(`1 × ${reason}`)
  const [header, ...rows]: readonly string[][] = parse(output)
  expect(header).toEqual(
    'file,class,probability,class_2,probability_2,class_3,probability_3,error'.split(','),
  )
  const files = [...good, 'broken.jpg', 'gone.jpg']
    .toSorted()
    .map((name) => join(photographs, name))
  expect(rows.map(([file]) => file)).toEqual([...files, join(folder, 'missing.jpg')])
  for (const [file, label, probability, , second, , third, error] of rows) {
    const isGood = good.some((name) => file === join(photographs, name))
    expect(error === '').toBe(isGood)
    if (!isGood) continue
    expect(['rows', 'columns', 'noise']).toContain(label)
    expect(Number(probability) + Number(second) + Number(third)).toBeCloseTo(1, 5)
  }
  expect(rows.at(-1)?.at(-1)).toBe('there is no such file')
})

test('predict writes CSV or JSON to a new file, and replaces none', async () => {
  const out = join(folder, 'predictions.csv')
  const images = good.map((name) => join(photographs, name))
  const toFile = await run(['predict', trained, ...images, '--out', out], cache)
  expect([toFile.code, toFile.output]).toEqual([0, `predictions  ${out} (3 images)\n`])
  const printed = await run(['predict', trained, ...images, '--csv'], cache)
  expect(readFileSync(out, 'utf8')).toBe(printed.output)
  const again = await run(['predict', trained, ...images, '--out', out], cache)
  expect([again.code, again.errors]).toEqual([
    1,
    `error: ${out}: already exists; choose another --out\n`,
  ])
  const json = join(folder, 'predictions.json')
  await run(['predict', trained, ...images, '--out', json, '--json', '--top', '1'], cache)
  const [{ image, classes }] = JSON.parse(readFileSync(json, 'utf8'))
  const [, [file, label, probability]]: readonly string[][] = parse(printed.output)
  expect([image, classes[0].label, classes[0].probability.toFixed(6)]).toEqual([
    file,
    label,
    probability,
  ])
  const both = await run(['predict', trained, ...images, '--csv', '--json'], cache)
  expect(both.errors).toContain("option '--json' cannot be used with option '--csv'")
})

test('predict names what is no model, and what a folder without images holds', async () => {
  const image = join(photographs, 'ümlaut x.jpeg')
  const errorOf = async (...args: readonly string[]): Promise<string> =>
    (await run(['predict', ...args], cache)).errors
  const none = join(folder, 'none')
  expect(await errorOf(none, image)).toBe(`error: ${none}: there is no such folder\n`)
  expect(await errorOf(photographs, image)).toBe(
    `error: ${photographs}: is neither a run nor an export; it has no config.json\n`,
  )
  const comparison = join(folder, 'comparison')
  await mkdir(comparison)
  await writeFile(join(comparison, 'compare.json'), '{}')
  expect(await errorOf(comparison, image)).toBe(
    `error: ${comparison}: is a comparison; name one of its runs, in ${join(comparison, 'runs')}\n`,
  )
  const started = join(folder, 'started')
  await mkdir(started)
  for (const file of ['config.json', 'environment.json'])
    await copyFile(join(trained, file), join(started, file))
  expect(await errorOf(started, image)).toBe(
    `error: ${started}: has no best checkpoint yet; no epoch is complete\n`,
  )
  expect(existsSync(join(started, 'export'))).toBe(false)
  const text = join(folder, 'text')
  await mkdir(text)
  await writeFile(join(text, 'notes.txt'), 'text')
  expect(await errorOf(trained, text)).toContain(`error: ${text}: holds no images; found:`)
  expect(await readdir(text)).toEqual(['notes.txt'])
})
