import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { run, scratch, tiny } from './command.ts'
import { photographs } from './photographs.ts'

const folder = scratch()
const cache = join(folder, 'cache')
const data = join(folder, 'photographs')
const train = ['train', '--data', data, ...tiny, '--epochs', '1']

beforeAll(async () => {
  await photographs(data, { train: 4, validation: 2 })
  await mkdir(join(folder, 'empty', 'train', 'a'), { recursive: true })
  await mkdir(join(folder, 'empty', 'val', 'a'), { recursive: true })
  await photographs(join(folder, 'surplus'), { train: 4, validation: 2 })
  await mkdir(join(folder, 'surplus', 'val', 'unheard'), { recursive: true })
  await writeFile(join(folder, 'surplus', 'val', 'unheard', '1.JPEG'), 'text')
  await writeFile(join(folder, 'file'), 'no folder')
})

const cases: readonly (readonly [what: string, args: readonly string[], complaint: string])[] = [
  ['an unknown command', ['trian'], 'Did you mean train?'],
  ['an unknown option', ['train', '--epoch', '3'], 'Did you mean --epochs?'],
  [
    'no epochs',
    ['train', '--epochs', '0'],
    '--epochs must be a whole number, at least 1, but is 0',
  ],
  ['no number', ['train', '--seed', 'x'], '--seed must be a whole number in [0, 2³¹), but is x'],
  ['an unknown rule', ['train', '--optimizer', 'adan'], '--optimizer must be one of diffgrad, '],
  [
    "another rule's option",
    ['train', '--optimizer', 'adam', '--aliased'],
    '--aliased is no option of Adam; it has --beta1, --beta2, --epsilon, --amsgrad',
  ],
  ['an option without effect', ['train', '--tune', 'head'], '--tune is about a --backbone'],
  [
    'an option of another schedule',
    ['train', '--schedule', 'cosine', '--flat', '0.5'],
    '--flat is about the schedule flat-cosine, but it is cosine',
  ],
  ['a missing folder', ['train', '--data', join(folder, 'none')], 'there is no folder or archive'],
  ['an empty class', ['train', '--data', join(folder, 'empty')], 'no picture'],
  ['a class in val only', ['train', '--data', join(folder, 'surplus'), ...tiny], 'unheard'],
  [
    'batches larger than the data',
    [...train, '--batch', '13'],
    '--batch must be at most 12, the number of training pictures, but is 13',
  ],
  [
    'accumulation over more than there is',
    [...train, '--accumulate', '2'],
    '--accumulate must be at most 1, the number of batches, but is 2',
  ],
  [
    'an unwritable run folder',
    [...train, '--out', join(folder, 'file', 'run')],
    'cannot be written',
  ],
  ['a run folder that is there', [...train, '--out', folder], 'is there already'],
  ['no run', ['resume', folder], 'is no run folder; it has no config.json'],
  ['no model', ['predict', folder, 'a.jpg'], 'is no folder that transformers.js loads'],
  ['a comparison on no data', ['compare', '--data', join(folder, 'none')], 'there is no folder or'],
  [
    'a comparison of which no run can begin',
    ['compare', '--data', data, '--batch', '8', '--backbone', join(folder, 'file')],
    'must be a folder, or a name of the hub',
  ],
  ['a contender that is none', ['compare', 'diffgrad --alias'], "unknown option '--alias'"],
]

test.concurrent.each(cases)(
  '%s: refused by name, nothing left behind',
  async (_, args, complaint) => {
    const out = join(folder, `out-${_.replaceAll(' ', '-')}`)
    const takesOut = ['train', 'compare'].includes(args[0]) && !args.includes('--out')
    const { code, errors } = await run([...args, ...(takesOut ? ['--out', out] : [])], cache)
    expect(errors).toContain(complaint)
    expect(errors).toMatch(/^error: /)
    expect(errors).not.toContain('    at ')
    expect(code).toBe(1)
    expect(existsSync(out)).toBe(false)
  },
)
