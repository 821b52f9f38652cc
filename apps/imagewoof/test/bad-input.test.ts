import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, run, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')
const data = join(folder, 'images')
const train = ['train', '--data', data, ...tinyNetwork, '--epochs', '1']

beforeAll(async () => {
  await writePatterns(data, { train: 4, validation: 2 })
  await mkdir(join(folder, 'empty', 'train', 'a'), { recursive: true })
  await mkdir(join(folder, 'empty', 'val', 'a'), { recursive: true })
  await writePatterns(join(folder, 'unexpected'), { train: 4, validation: 2 })
  await mkdir(join(folder, 'unexpected', 'val', 'untrained'), { recursive: true })
  await writeFile(join(folder, 'unexpected', 'val', 'untrained', '1.JPEG'), 'text')
  await writeFile(join(folder, 'file'), 'not a folder')
})

const cases: readonly (readonly [input: string, args: readonly string[], message: string])[] = [
  ['an unknown command', ['trian'], 'Did you mean train?'],
  [
    'data without --data',
    ['train', 'dogs'],
    'dogs is not an option; did you mean npm start -- train --data dogs?',
  ],
  ['a folder instead of a command', [folder], `did you mean npm start -- --data ${folder}?`],
  [
    'a share without data of its own',
    ['train', '--validation', '0.1'],
    '--validation needs a --data other than shapes',
  ],
  [
    'a share for data with a split',
    [...train, '--validation', '0.1'],
    '--validation 0.1 has no effect',
  ],
  ['a share out of range', [...train, '--validation', '1'], 'must be in (0, 1), but is 1'],
  [
    'a pattern that matches nothing',
    [...train, '--exclude', '*.gif'],
    '--exclude *.gif matches no',
  ],
  ['an unknown option', ['train', '--epoch', '3'], 'Did you mean --epochs?'],
  [
    'zero epochs',
    ['train', '--epochs', '0'],
    '--epochs must be a whole number, at least 1, but is 0',
  ],
  [
    'a text instead of a number',
    ['train', '--seed', 'x'],
    '--seed must be a whole number in [0, 2³¹), but is x',
  ],
  ['an unknown rule', ['train', '--optimizer', 'adagard'], '--optimizer must be one of '],
  [
    "another rule's option",
    ['train', '--optimizer', 'adam', '--aliased'],
    '--aliased is not an option of Adam; its options are --beta1, --beta2, --epsilon, --amsgrad',
  ],
  ['an option without effect', ['train', '--tune', 'head'], '--tune needs a --backbone'],
  [
    'an option of another schedule',
    ['train', '--schedule', 'cosine', '--flat', '0.5'],
    '--flat needs --schedule flat-cosine, but the schedule is cosine',
  ],
  [
    'a provider for tfjs',
    ['train', '--engine', 'tfjs', '--provider', 'auto'],
    '--provider auto needs --engine onnxruntime, but the engine is tfjs, which chooses ',
  ],
  ['an unknown provider', ['train', '--provider', 'gpu'], 'cpu, webgpu, cuda, auto'],
  ['a missing folder', ['train', '--data', join(folder, 'none')], 'there is no folder or archive'],
  [
    'empty classes',
    ['train', '--data', join(folder, 'empty')],
    'but holds none; expected <class>/*',
  ],
  [
    'a class in val only',
    ['train', '--data', join(folder, 'unexpected'), ...tinyNetwork],
    'untrained is a class without',
  ],
  [
    'a batch larger than the data',
    [...train, '--batch', '13'],
    '--batch must be at most 12, the number of training images, but is 13',
  ],
  [
    'accumulation over more batches than there are',
    [...train, '--accumulate', '2'],
    '--accumulate must be at most 1, the number of batches, but is 2',
  ],
  [
    'an unwritable run folder',
    [...train, '--out', join(folder, 'file', 'run')],
    'cannot be written',
  ],
  ['an existing run folder', [...train, '--out', folder], 'already exists'],
  ['a folder without a run', ['resume', folder], 'is not a run folder; it has no config.json'],
  [
    'a folder without a model',
    ['predict', folder, 'a.jpg'],
    'is neither a run nor an export; it has no config.json',
  ],
  ['a comparison without data', ['compare', '--data', join(folder, 'none')], 'there is no folder'],
  [
    'a comparison whose first run cannot start',
    ['compare', '--data', data, '--batch', '8', '--backbone', join(folder, 'file')],
    'must be a folder, or a hub model',
  ],
  [
    'a provider for a contender on tfjs',
    ['compare', 'adam', 'diffgrad --engine tfjs', '--data', data, '--provider', 'cpu'],
    '--provider cpu needs --engine onnxruntime',
  ],
  [
    'a contender with an unknown option',
    ['compare', 'diffgrad --alias'],
    "unknown option '--alias'",
  ],
]

const early: readonly (readonly [input: string, args: readonly string[], message: string])[] = [
  ['an existing folder', ['train', '--out', folder], 'already exists'],
  ['an existing folder of a comparison', ['compare', '--out', folder], 'already exists'],
  ['an unwritable folder', ['train', '--out', join(folder, 'file', 'run')], 'is not a folder'],
  ['a missing backbone', ['train', '--backbone', 'none'], 'must be a folder, or a hub model'],
  ['a backbone without its files', ['train', '--backbone', folder], 'cannot be used'],
  ['a large batch', ['train', '--batch', '13'], 'must be at most 12'],
  ['much accumulation', ['train', '--accumulate', '9'], 'must be at most 5, the number of batches'],
  ['a learning-rate range test', ['lr-find', '--batch', '13'], 'must be at most 12'],
]

test.concurrent.each(early)('%s is rejected before images are read', async (_, args, message) => {
  const [command, ...options] = args
  const common = ['--data', data, '--size', '20', '--batch', '8']
  const { code, output, errors } = await run([command, ...common, ...options], cache)
  expect(errors).toContain(message)
  expect(code).toBe(1)
  expect(output).not.toContain('reading')
})

test.concurrent.each(cases)(
  '%s is rejected with a message that names it, and no files are left',
  async (input, args, message) => {
    const out = join(folder, `out-${input.replaceAll(' ', '-')}`)
    const takesOut = ['train', 'compare'].includes(args[0]) && !args.includes('--out')
    const { code, errors } = await run([...args, ...(takesOut ? ['--out', out] : [])], cache)
    expect(errors).toContain(message)
    expect(errors).toMatch(/^error: /)
    expect(errors).not.toContain('    at ')
    expect(code).toBe(1)
    expect(existsSync(out)).toBe(false)
  },
)
