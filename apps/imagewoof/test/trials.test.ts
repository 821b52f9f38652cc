import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fileFolder, historyOf, run, signalBeforeWrite, start, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const [cache, data, out] = ['cache', 'data', 'comparison'].map((name) => join(folder, name))

beforeAll(() => writePatterns(data, { train: 8, validation: 4 }))

test('the trials of a plan are trained by several processes, a killed one is continued by another', async () => {
  const plan = ['compare', 'adam --learning-rate 0.002', '--runs', '2', '--plan-only']
  const options = ['--data', data, '--out', out, ...tinyNetwork, '--epochs', '2']
  const planned = await run([...plan, ...options], cache)
  expect(planned.errors).toBe('')
  expect(planned.output).toContain(`resume ${out} --trial 0  (0 to 1`)
  const runs = join(out, 'runs')
  expect(readdirSync(runs)).toEqual([])

  const stopped = start(
    ['resume', out, '--trial', '0'],
    cache,
    signalBeforeWrite('SIGSTOP', 'last.safetensors', 2),
  )
  const { pid } = stopped.child
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))
    await new Promise(setImmediate)
  const refused = await run(['resume', out, '--trial', '0'], cache)
  expect(refused.code).toBe(1)
  const first = join(runs, readdirSync(runs)[0])
  expect(refused.errors).toContain(`error: the run ${first} is in use by process ${pid} on `)
  stopped.child.kill('SIGKILL')
  await stopped.ended
  expect(historyOf(first).epochs).toHaveLength(1)

  const { code, output, errors } = await run(['resume', out, '--jobs', '2'], cache)
  expect(`${code} ${errors}`).toBe('0 ')
  expect(readdirSync(runs)).toHaveLength(2)
  for (const name of readdirSync(runs)) expect(historyOf(join(runs, name)).epochs).toHaveLength(2)
  expect(output).toContain('· seed 2: epoch 2 of 2')
  expect(output.match(/seed 1: epoch \d/g)).toEqual(['seed 1: epoch 2'])
  expect(existsSync(join(out, 'report.html'))).toBe(true)
  expect(readFileSync(join(out, 'comparison.csv'), 'utf8').trim().split('\n')).toHaveLength(3)
})
