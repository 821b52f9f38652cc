import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table, tableRows, writeCompatibility } from './consumers.ts'
import {
  allExamples,
  guideExamples,
  installOffline,
  pack,
  root,
  runIn,
  userEnvironment,
} from './public-packages.ts'

// `pnpm test:runtimes [runtime …]`: packs the packages, installs them into an empty project, and runs there the
// code of the READMEs and guides that uses core, kernels, arrays or onnx, and the test suites of these packages, on
// several versions of Node, on Bun and on Deno, which npm installs. Writes a row of docs/compatibility.md for each
// runtime; the rows of others stay. `--quick` leaves out the suites, and writes nothing.

/** How each runtime, by its name and version on npm, runs a module. */
const runtimes = new Map<string, readonly string[]>([
  ['node@20', ['node']],
  ['node@22', ['node']],
  ['node@24', ['node']],
  ['node@latest', ['node']],
  ['bun@latest', ['bun']],
  ['deno@latest', ['deno', 'run', '--allow-all', '--node-modules-dir=manual']],
])
const suites = ['core', 'kernels', 'arrays', 'onnx']

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((spec) => !runtimes.has(spec))
if (unknown.length > 0)
  throw new RangeError(`runtimes are ${[...runtimes.keys()].join(', ')}, not ${unknown}`)

const folder = mkdtempSync(join(tmpdir(), 'diffgrad-runtimes-'))
const project = join(folder, 'project')

/** Runs a program, and returns what it prints to stdout, and its error. */
function run(cwd: string, [command = '', ...args]: readonly string[]) {
  const env = { ...userEnvironment, NO_COLOR: '1' }
  return spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 26 })
}

/** Installs a runtime, and returns the path of its program. */
function install(spec: string, program: string): string {
  const prefix = join(folder, spec.replace('@', '-'))
  runIn(root, 'npm', 'install', '--no-audit', '--no-fund', '--prefix', prefix, spec)
  return join(prefix, 'node_modules/.bin', program)
}

/** Runs the examples, and returns how many print what they promise, of how many. Prints the others. */
function runExamples(spec: string, command: readonly string[]): string {
  const wrong = examples.filter(({ name, promised }) => {
    const { stdout, stderr } = run(project, [...command, `${name}.mjs`])
    const isRight = `${stdout.trimEnd().split('\n')}` === `${promised}`
    if (!isRight) console.error(`${spec}, ${name}: promises ${promised}\n${stdout}${stderr}`)
    return !isRight
  })
  return outcome(examples.length - wrong.length, wrong.length, 0)
}

/** Runs the tests of a package, and returns how many pass, fail and are skipped. Prints the output of failed ones. */
function runSuite(spec: string, command: readonly string[], suite: string): string {
  const report = join(folder, 'report.json')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const options = ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
  const cwd = join(root, 'packages', suite)
  const { status, stdout, stderr } = run(cwd, [...command, vitest, ...options])
  if (status !== 0) console.error(`${spec}, tests of ${suite}: ${stdout}${stderr}`)
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'))
    rmSync(report)
    return outcome(result.numPassedTests, result.numFailedTests, result.numPendingTests)
  } catch {
    return '✗' // There is no report: the suite did not start.
  }
}

const outcome = (passed: number, failed: number, skipped: number): string =>
  [
    failed > 0 ? `✗ ${failed} of ${passed + failed}` : `${passed}`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ')

const examples = [...allExamples(), ...guideExamples()].filter(
  ({ code }) => !/@tensorflow|onnxruntime-node/.test(code),
)
const head = ['runtime', 'version', 'examples', ...suites]
const rows = new Map(tableRows('Runtimes').map((cells) => [cells[0], cells]))
let failed = false
try {
  runIn(root, 'mkdir', '-p', project)
  installOffline(project, pack(folder).values())
  for (const { name, code } of examples) writeFileSync(join(project, `${name}.mjs`), code)
  for (const [spec, [program = '', ...options]] of runtimes) {
    if (positionals.length > 0 && !positionals.includes(spec)) continue
    const command = [install(spec, program), ...options]
    const version = /\d+\.\d+\.\d+/.exec(run(project, [command[0] ?? '', '--version']).stdout)?.[0]
    const cells = [
      runExamples(spec, command),
      ...(values.quick ? [] : suites).map((suite) => runSuite(spec, command, suite)),
    ]
    console.log([spec, version, ...cells].join(' | '))
    rows.set(spec, [spec, version ?? '', ...cells])
    failed ||= cells.some((cell) => cell.includes('✗'))
  }
} finally {
  rmSync(folder, { recursive: true })
}
if (!values.quick)
  writeCompatibility(
    'Runtimes',
    `Written by \`pnpm test:runtimes\`: in an empty project with the packed packages, how many of the examples of the
READMEs and guides print what they say, and how many tests of each package pass, on runtimes that npm installs.

${table(
  head,
  [...runtimes.keys()].map((spec) => rows.get(spec) ?? []).filter((cells) => cells.length > 0),
)}

- \`onnx\` skips networks at full width, which \`pnpm --filter @diffgrad/onnx networks\` runs, and ONNX's own checker
  where Python lacks it.
- \`arrays\` skips what a runtime cannot be asked for: no memory for WebAssembly on Node 24 and later, Bun and Deno; the
  permission model of Node on Bun and Deno; no just-in-time compiler on Bun.
- ONNX Runtime's native module does not read the \`Float16Array\` of Bun and Deno: a float16 tensor fails there with
  \`not enough space\`. Trainers compute in float32, and read and write files in half precision everywhere.`,
  )
process.exitCode = failed ? 1 : 0
