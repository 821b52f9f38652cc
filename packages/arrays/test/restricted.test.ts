import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectClose } from '@diffgrad/testing/tolerance'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RestrictedReport } from './restricted-child.ts'

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-restricted-'))
const script = join(folder, 'child.mjs')

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('restricted-child.ts', import.meta.url))],
    conditions: ['@diffgrad/source'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: script,
  })
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Restrictions {
  /** Options of Node. */
  readonly options?: readonly string[]
  /** The limit on addresses, in GiB. */
  readonly addresses?: number
  readonly threads?: number | 'auto'
}

/** Runs the script of `restricted-child.ts`. */
function run({ options = [], addresses, threads = 'auto' }: Restrictions): RestrictedReport {
  const command = [process.execPath, ...options, script, `${threads}`]
  const limited = [
    'sh',
    '-c',
    `ulimit -v ${Number(addresses) * 2 ** 20}; exec "$@"`,
    'sh',
    ...command,
  ]
  const [file, ...args] = addresses === undefined ? command : limited
  const output = execFileSync(file, args)
  return JSON.parse(`${output}`)
}

/** Every first step of diffGrad is α·σ(|g|)·g/|g|, but for ε. */
const expectMoved = ({ moved }: RestrictedReport): void => {
  const step = (g: number): number => -0.5 / (1 + Math.exp(-Math.abs(g)))
  const [x, y, z] = moved
  expectClose(x, [step(1), step(1), step(1)], { relative: 1e-5 })
  expectClose(y, [-step(1)], { relative: 1e-5 })
  expectClose(z, [step(1), step(2)], { relative: 1e-5 })
}

test('in an ordinary process, WebAssembly runs on threads', () => {
  const report = run({})
  expectMoved(report)
  expect(report.kernel.tier).toBe('wasm')
  expect(report.errors).toEqual(['none', 'none'])
})

describe.skipIf(process.platform === 'win32')('with addresses for no WebAssembly memory', () => {
  test('JavaScript runs, and WebAssembly is refused by name', () => {
    const report = run({ addresses: 8 })
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'javascript', threads: 1, copies: false })
    expect(report.errors).toEqual([
      'RangeError: Adam: kernel wasm cannot run here: WebAssembly.Memory(): could not allocate memory',
      'RangeError: Adam: 2 threads need WebAssembly',
    ])
  })

  test('with addresses for some memories, WebAssembly runs over copies', () => {
    const report = run({ addresses: 33, threads: 1 })
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
  })
})

test('without a just-in-time compiler, the interpreter of JavaScript runs the generated kernels', () => {
  const report = run({ options: ['--jitless'] })
  expectMoved(report)
  expect(report.kernel).toEqual({ tier: 'javascript', threads: 1, copies: false })
  expect(report.errors).toEqual([
    'RangeError: Adam: kernel wasm cannot run here: WebAssembly is not defined',
    'RangeError: Adam: 2 threads need WebAssembly',
  ])
})

test('under the permission model, one thread runs, and two are refused by name', () => {
  const isStable = process.allowedNodeEnvironmentFlags.has('--permission')
  const permission = isStable ? '--permission' : '--experimental-permission'
  const report = run({ options: [permission, '--allow-fs-read=*'] })
  expectMoved(report)
  expect(report.kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
  expect(report.errors).toEqual([
    'none',
    expect.stringMatching(/^RangeError: Adam: threads cannot be started here: Access to this API/),
  ])
})
