import { execFileSync, spawnSync } from 'node:child_process'
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

/** The command line that starts this runtime under restrictions. */
function restricted(
  { options = [], addresses }: Restrictions,
  ...args: readonly string[]
): readonly [file: string, ...args: string[]] {
  const limit = `ulimit -v ${Number(addresses) * 2 ** 20}; exec "$@"`
  const limited = addresses === undefined ? [] : ['sh', '-c', limit, 'sh']
  const [file = '', ...rest] = [...limited, process.execPath, ...options, ...args]
  return [file, ...rest]
}

/** Runs the script of `restricted-child.ts`. */
function run(restrictions: Restrictions): RestrictedReport {
  const [file, ...args] = restricted(restrictions, script, `${restrictions.threads ?? 'auto'}`)
  return JSON.parse(`${execFileSync(file, args)}`)
}

/** Whether an expression is true in a process of this runtime under restrictions. */
function isTrue(expression: string, restrictions: Restrictions): boolean {
  const [file, ...args] = restricted(restrictions, '-e', `process.exit(${expression} ? 0 : 1)`)
  return spawnSync(file, args).status === 0
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

// Windows has no such limit, and Deno needs more addresses to start.
const isLimited = process.platform !== 'win32' && !('deno' in process.versions)
describe.runIf(isLimited)('with few addresses', () => {
  // Node 24 and later, and Bun, reserve fewer for a memory.
  const few = { addresses: 8 }
  const isRefused =
    '(() => { try { new WebAssembly.Memory({ initial: 1 }) } catch { return true } })()'

  test.runIf(isTrue(isRefused, few))('JavaScript runs, and WebAssembly is refused by name', () => {
    const report = run(few)
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'javascript', threads: 1, copies: false })
    expect(report.errors).toEqual([
      'RangeError: Adam: kernel wasm cannot run here: WebAssembly.Memory(): could not allocate memory',
      'RangeError: Adam: 2 threads need WebAssembly',
    ])
  })

  test('but enough for some memories, WebAssembly runs over copies', () => {
    const report = run({ addresses: 33, threads: 1 })
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
  })
})

const jitless = { options: ['--jitless'] } // Bun has no such option.
test.runIf(isTrue("typeof WebAssembly === 'undefined'", jitless))(
  'without a just-in-time compiler, the interpreter of JavaScript runs the generated kernels',
  () => {
    const report = run(jitless)
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'javascript', threads: 1, copies: false })
    expect(report.errors).toEqual([
      'RangeError: Adam: kernel wasm cannot run here: WebAssembly is not defined',
      'RangeError: Adam: 2 threads need WebAssembly',
    ])
  },
)

const isStable = process.allowedNodeEnvironmentFlags.has('--permission')
const permission = isStable ? '--permission' : '--experimental-permission'
const permitted = { options: [permission, '--allow-fs-read=*'] } // Deno and Bun have others.
test.runIf(isTrue('process.permission', permitted))(
  'under the permission model, one thread runs, and two are refused by name',
  () => {
    const report = run(permitted)
    expectMoved(report)
    expect(report.kernel).toEqual({ tier: 'wasm', threads: 1, copies: true })
    expect(report.errors).toEqual([
      'none',
      expect.stringMatching(
        /^RangeError: Adam: threads cannot be started here: Access to this API/,
      ),
    ])
  },
)
