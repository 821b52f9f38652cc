/**
 * Trains one comparison of six runs by several engines, and compares the histories bit for bit:
 * `pnpm --filter imagewoof executors [kills] [engine…]`. By one process; by `--jobs 2` (`processes`) and by
 * workers of a queue (`queue`), each killed at random moments; by GNU parallel (`parallel`); and on a Slurm of
 * one node (`slurm`), which the script starts, by an array with two requeues and by `srun`. There, a run on two
 * ranks equals one process, too. Needs a build.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { cpus, hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { History } from '../src/run/history.ts'
import { freePort, line, startRedis } from '../test/redis.ts'

const [killsText = '20', ...chosen] = process.argv.slice(2)
const kills = Number(killsText)
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const deploy = fileURLToPath(new URL('../deploy/slurm.sbatch', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'executors-'))
const numbers = ['0', '1', '2', '3', '4', '5']
const network = ['--size', '32', '--width', '8', '--epochs', '4', '--save-every', '0']
const images = ['--train-images', '192', '--validation-images', '100', '--threads', '1']
const comparison = ['compare', 'adam', 'diffgrad', '--runs', '2', ...network, ...images]

/** Runs the command line to its end, and returns its output. */
const imagewoof = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' })

const startImagewoof = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

const plan = (name: string): string => {
  const path = join(folder, name)
  imagewoof(...comparison, '--out', path, '--plan-only')
  return path
}

/** The results of a run, without times. */
function resultOf(run: string): string {
  const history: History = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'))
  const epochs = history.epochs.map(({ seconds: _, imagesPerSecond: _1, ...row }) => row)
  return JSON.stringify({ ...history, epochs })
}

/** The results of all runs of a plan, by the name of the run. */
const resultsOf = (path: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(join(path, 'runs')).map((name) => [name, resultOf(join(path, 'runs', name))]))

const one = join(folder, 'one')
imagewoof(...comparison, '--out', one)
const expected = resultsOf(one)

/** Writes the report of a comparison, and prints how many runs equal those by one process. */
function check(engine: string, path: string): void {
  imagewoof('resume', path)
  const results = resultsOf(path)
  const equal = [...expected].filter(([name, result]) => results.get(name) === result).length
  console.log(`${engine}: ${equal} of ${expected.size} histories equal, ${results.size} runs`)
  if (equal < expected.size || results.size > expected.size) process.exitCode = 1
}

const generator = xoroshiro128plus(1)

/**
 * Kills a process up to three seconds after it has begun to train.
 *
 * @param over - when there is nothing more to train.
 * @returns false if it was over before.
 */
async function killAtRandom(child: ChildProcess, over: Promise<unknown>): Promise<boolean> {
  let isOver = false
  const end = over.then(() => {
    isOver = true
  })
  await Promise.race([end, line(child, / · seed /)])
  await Promise.race([end, setTimeout(uniformInt(generator, 0, 3000))])
  child.kill('SIGKILL')
  return !isOver
}

async function byProcesses(): Promise<void> {
  const path = plan('processes')
  for (let killed = 0; ; killed++) {
    const parent = startImagewoof('resume', path, '--jobs', '2')
    const ended = once(parent, 'exit')
    if (killed < kills && (await killAtRandom(parent, ended))) continue
    await ended
    return check(`--jobs 2, killed ${killed} times`, path)
  }
}

async function byQueue(): Promise<void> {
  const { child: redis, address } = await startRedis()
  const startWorker = () => startImagewoof('worker', address.name, '--jobs', '2', '--lease', '2')
  for (let rest = kills; rest > 0; ) {
    const path = plan(`queue-${rest}`)
    const producer = startImagewoof('resume', path, '--queue', address.name)
    producer.stdout?.resume()
    const ended = once(producer, 'exit')
    let killed = 0
    while (killed < rest && (await killAtRandom(startWorker(), ended))) killed++
    const worker = startWorker()
    worker.stdout?.resume()
    await ended
    worker.kill('SIGKILL')
    check(`BullMQ, worker killed ${killed} times`, path)
    rest -= killed
  }
  redis.kill()
}

function byParallel(): void {
  const path = plan('parallel')
  const each = [process.execPath, main, 'resume', path, '--trial', '{}']
  execFileSync('parallel', ['-j2', '--retries', '3', ...each, ':::', ...numbers])
  check('GNU parallel', path)
}

/** Starts a Slurm of this machine alone. Its commands find it by SLURM_CONF. */
async function startSlurm(): Promise<readonly ChildProcess[]> {
  const directory = join(folder, 'slurm')
  for (const name of ['slurmd', 'slurmctld']) mkdirSync(join(directory, name), { recursive: true })
  const host = hostname()
  const settings = [
    ...['ClusterName=one', `SlurmctldHost=${host}(127.0.0.1)`, `SlurmUser=${userInfo().username}`],
    ...['AuthType=auth/none', 'CredType=cred/none', 'ProctrackType=proctrack/linuxproc'],
    ...['SelectType=select/cons_tres', 'SelectTypeParameters=CR_Core', 'TaskPlugin=task/none'],
    ...['JobRequeue=1', 'ReturnToService=2', `AuthInfo=cred_expire=5`],
    ...[`SlurmctldPort=${await freePort()}`, `SlurmdPort=${await freePort()}`],
    `StateSaveLocation=${join(directory, 'slurmctld')}`,
    `SlurmdSpoolDir=${join(directory, 'slurmd')}`,
    `SlurmctldPidFile=${join(directory, 'slurmctld.pid')}`,
    `SlurmdPidFile=${join(directory, 'slurmd.pid')}`,
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus().length}`,
    `PartitionName=all Nodes=${host} Default=YES`,
  ]
  process.env.SLURM_CONF = join(directory, 'slurm.conf')
  writeFileSync(process.env.SLURM_CONF, `${settings.join('\n')}\n`)
  const daemons = ['slurmctld', 'slurmd'].map((name) => {
    const log = openSync(join(directory, `${name}.log`), 'w')
    return spawn(name, ['-D'], { stdio: ['ignore', log, log] })
  })
  await until(
    () => spawnSync('sinfo', ['-h', '-o', '%T'], { encoding: 'utf8' }).stdout.trim() === 'idle',
  )
  return daemons
}

/** Polls a condition of other programs, which send no events. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(200)
}

/** An array, whose first task is told to stop before its time limit, and whose second one is requeued. */
async function bySlurmArray(): Promise<void> {
  const path = plan('array')
  const log = (task: number | string): string => join(folder, `array-${task}.log`)
  const array = ['--parsable', '--array=0-5', `--output=${log('%a')}`, deploy, main, path]
  const job = execFileSync('sbatch', array, { encoding: 'utf8' }).trim()
  const trains = (task: number): Promise<void> =>
    until(() => existsSync(log(task)) && readFileSync(log(task), 'utf8').includes('epoch 1 of'))
  await trains(0)
  execFileSync('scancel', ['--batch', '--signal=USR1', `${job}_0`])
  await trains(1)
  execFileSync('scontrol', ['requeue', `${job}_1`])
  await until(() => execFileSync('squeue', ['-h', '-j', job], { encoding: 'utf8' }) === '')
  const starts = [0, 1].map((task) => readFileSync(log(task), 'utf8').match(/trial \d · /g)?.length)
  check(`Slurm array, tasks 0 and 1 started ${starts.join(' and ')} times`, path)
}

async function bySrun(): Promise<void> {
  const path = plan('srun')
  const ends = numbers.map((number) => {
    const each = ['-n', '1', process.execPath, main, 'resume', path, '--trial', number]
    return once(spawn('srun', each, { stdio: 'ignore' }), 'exit')
  })
  await Promise.all(ends)
  check('srun', path)
}

/** Compares a run on two ranks with one process. */
function byRanks(): void {
  const train = [process.execPath, main, 'train', ...network, ...images, '--accumulate', '2']
  const alone = join(folder, 'alone')
  imagewoof(...train.slice(2), '--out', alone)
  const launchers = [
    ['srun', '--mpi=pmix', '-n', '2'],
    ['salloc', '-n', '2', 'mpirun', '--bind-to', 'none'],
  ]
  for (const [command, ...launcher] of launchers) {
    const name = [command, ...launcher].join(' ')
    const out = join(folder, `ranks-${command}`)
    const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
    const { status, stderr } = spawnSync(command, [...launcher, ...train, '--out', out], {
      ...{ env, encoding: 'utf8' },
    })
    const isEqual = status === 0 && resultOf(out) === resultOf(alone)
    if (stderr.includes('load PMIx'))
      console.log(
        `${name}: skipped, because Slurm cannot load PMIx; on Debian, install libpmix-dev`,
      )
    else console.log(`${name}: two ranks ${isEqual ? 'equal' : 'do NOT equal'} one process`)
    if (!isEqual && !stderr.includes('load PMIx')) process.exitCode = 1
  }
}

async function onSlurm(): Promise<void> {
  const daemons = await startSlurm()
  await bySlurmArray()
  await bySrun()
  byRanks()
  for (const daemon of daemons.toReversed()) daemon.kill()
}

/** The engines, and the programs that each needs. */
const engines: Readonly<Record<string, readonly [run: () => unknown, ...programs: string[]]>> = {
  processes: [byProcesses],
  queue: [byQueue, 'redis-server'],
  parallel: [byParallel, 'parallel'],
  slurm: [onSlurm, 'slurmctld', 'slurmd', 'srun', 'mpirun'],
}
const unknown = chosen.find((name) => engines[name] === undefined)
if (unknown !== undefined)
  throw new Error(`an engine must be one of ${Object.keys(engines).join(', ')}, but is ${unknown}`)
for (const [name, [run, ...programs]] of Object.entries(engines)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  const missing = programs.find((program) => spawnSync('which', [program]).status !== 0)
  if (missing === undefined) await run()
  else console.log(`${name}: skipped, because ${missing} is not installed`)
}

if (process.exitCode === undefined) rmSync(folder, { recursive: true })
else console.log(`the runs are in ${folder}`)
