import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adam, allRules, ruleKernels, stepKernels, trace } from '@diffgrad/core'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { generatedModules } from '../scripts/generated-modules.ts'
import { fingerprint } from '../src/generated-kernels.ts'
import * as kernels from '../src/index.ts'
import {
  createEngine,
  type GeneratedKernel,
  type GeneratedKernels,
  generatedAdam,
} from '../src/index.ts'

/** Source text without the white space and punctuation that the formatter may change. */
const withoutFormatting = (source: string): string => source.replace(/[\s,;'"()\\]/g, '')

test.each(generatedModules())('%s is up to date', (path, source) => {
  const written = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  expect(withoutFormatting(written)).toBe(withoutFormatting(source))
})

test.each(allRules)('an update of $name is among the generated kernels', (rule) => {
  const variant = rule.variant?.(rule.defaults, 1000) ?? {}
  const { update } = ruleKernels(rule, rule.defaults, { variant, decay: 'none' })
  const tables = Object.entries(kernels).flatMap(([name, table]) =>
    name.startsWith('generated') ? [table as GeneratedKernels] : [],
  )
  expect(tables.some((table) => Object.hasOwn(table, fingerprint(trace(update))))).toBe(true)
})

test('the engine runs a generated kernel, and interprets any other', () => {
  const called: string[] = []
  const watched = Object.fromEntries(
    Object.entries(generatedAdam).map(([key, compute]): [string, GeneratedKernel] => [
      key,
      (...args) => {
        called.push(key)
        compute(...args)
      },
    ]),
  )
  const engine = createEngine('javascript', { generated: watched })
  const { update, inspect } = ruleKernels(adam, adam.defaults, { variant: {}, decay: 'none' })
  const { coefficients } = stepKernels(adam, adam.defaults, 1)
  const one = () => [Float32Array.of(1)]
  const lists = { theta: one(), g: one(), m: one(), v: one(), effectiveStep: one() }
  engine.run(update, lists, coefficients, 1)
  expect(called).toEqual([fingerprint(trace(update))])
  engine.run(inspect, lists, coefficients)
  expect(called).toHaveLength(1)
  expect(lists.effectiveStep[0][0]).toBeGreaterThan(0)
})

test('a bundle of one table of generated kernels has no other, and no code generator', async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: "export { generatedAdam } from './src/index.ts'",
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
  })
  expect(outputFiles[0].text).toContain('beta1')
  const [{ inputs }] = Object.values(metafile.outputs)
  const bundled = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0)
  expect(bundled.map((path) => basename(path))).toEqual(['adam.ts'])
})
