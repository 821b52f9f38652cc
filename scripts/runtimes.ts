import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  allExamples,
  guideExamples,
  installOffline,
  pack,
  root,
  runIn,
  userEnvironment,
} from './public-packages.ts'

// `pnpm test:runtimes`: packs the packages, installs them into an empty project, and runs there the code of the
// READMEs and guides that uses core, kernels, arrays or onnx, on several versions of Node, on Bun and on Deno, which
// npm installs. On each Node, the test suites of core, kernels, arrays and onnx run as well; `--quick` leaves them out.

/** The package of npm that holds a runtime, and how it runs a module. */
const runtimes: readonly { readonly spec: string; readonly command: readonly string[] }[] = [
  ...['node@20', 'node@22', 'node@24', 'node@latest'].map((spec) => ({ spec, command: ['node'] })),
  { spec: 'bun@latest', command: ['bun'] },
  { spec: 'deno@latest', command: ['deno', 'run', '--allow-all', '--node-modules-dir=manual'] },
]
const suites = ['core', 'kernels', 'arrays', 'onnx']

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-runtimes-'))
const project = join(folder, 'project')

/** Runs a program; the output of a failed one is the error. */
function run(cwd: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...userEnvironment, NO_COLOR: '1' },
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw error ?? new Error(`${stdout}${stderr}`)
  return stdout
}

/** Whether a check holds; a failure is printed. */
function holds(name: string, check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`)
    return false
  }
}

/** Installs a runtime, and returns the path of its program. */
function install(spec: string, program: string): string {
  const prefix = join(folder, spec.replace('@', '-'))
  runIn(root, 'npm', 'install', '--no-audit', '--no-fund', '--prefix', prefix, spec)
  return join(prefix, 'node_modules/.bin', program)
}

let failures = 0
try {
  runIn(root, 'mkdir', '-p', project)
  installOffline(project, pack(folder).values())
  const examples = [...allExamples(), ...guideExamples()].filter(
    ({ code }) => !/@tensorflow|onnxruntime-node/.test(code),
  )
  for (const { name, code } of examples) writeFileSync(join(project, `${name}.mjs`), code)
  for (const { spec, command } of runtimes) {
    const [program, ...options] = command
    const path = install(spec, program)
    const version = run(project, path, ['--version']).split('\n')[0]
    const right = examples.filter(({ name, promised }) =>
      holds(`${spec}, ${name}`, () => {
        const printed = run(project, path, [...options, `${name}.mjs`])
          .trimEnd()
          .split('\n')
        if (`${printed}` !== `${promised}`) throw new Error(`prints ${printed}, not ${promised}`)
      }),
    )
    const isTested = program === 'node' && !process.argv.includes('--quick')
    const tested = (isTested ? suites : []).filter((suite) =>
      holds(`${spec}, tests of ${suite}`, () => {
        const vitest = join(root, 'node_modules/vitest/vitest.mjs')
        run(join(root, 'packages', suite), path, [vitest, 'run', '--reporter=dot'])
      }),
    )
    failures += examples.length - right.length + (isTested ? suites.length - tested.length : 0)
    const line = `${right.length} of ${examples.length} examples`
    console.log(`${spec} (${version}): ${line}${isTested ? `, suites ${tested.join(', ')}` : ''}`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
process.exitCode = failures > 0 ? 1 : 0
