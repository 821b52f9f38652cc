import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, inject } from 'vitest'

/** A temporary folder for a whole test file, which is deleted after its last test. */
export function fileFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imagewoof-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  return folder
}

interface CommandResult {
  /** Null if a signal ended the process. */
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Starts the command line in a child process. */
export function start(
  args: readonly string[],
  cache: string,
  environment: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<CommandResult> } {
  const child = spawn(process.execPath, [inject('main'), ...args], {
    env: { ...process.env, IMAGEWOOF_CACHE: cache, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (text) => {
    output += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  const ended = new Promise<CommandResult>((resolve) =>
    child.on('close', (code) => resolve({ code, output, errors })),
  )
  return { child, ended }
}

/** Runs commands one after the other in one process, whose code is compiled already. */
class CommandServer {
  /** It ends with the test worker, whose end closes the channel between them. */
  readonly #child = fork(new URL('fixtures/command-server.mjs', import.meta.url), [inject('main')])
  #last: Promise<unknown> = Promise.resolve()

  run(args: readonly string[], environment: object): Promise<CommandResult> {
    const result = this.#last.then(() => this.#send({ args, environment }))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #send(command: object): Promise<CommandResult> {
    const ended = new AbortController()
    const { signal } = ended
    this.#child.send(command)
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([result]) => result),
        once(this.#child, 'exit', { signal }).then(() => {
          throw new Error(`the process of ${JSON.stringify(command)} has ended`)
        }),
      ])
    } finally {
      ended.abort()
    }
  }
}

let server: CommandServer | undefined

/** Variables of commands that need a process of their own: they prepare how it ends, or change its folder. */
const ownProcess = ['NODE_OPTIONS', 'INIT_CWD']

/** Runs the command line to its end, in the process that all commands of a test worker share where it can. */
export function run(
  ...[args, cache, environment = {}]: Parameters<typeof start>
): Promise<CommandResult> {
  if (ownProcess.some((name) => name in environment)) return start(args, cache, environment).ended
  server ??= new CommandServer()
  return server.run(args, { IMAGEWOOF_CACHE: cache, ...environment })
}

/**
 * The environment of a command that sends itself a signal just before it replaces a file for the n-th
 * time. The moment does not depend on the speed of the machine.
 */
export const signalBeforeWrite = (
  signal: 'SIGINT' | 'SIGHUP' | 'SIGKILL' | 'SIGSTOP',
  file: string,
  n = 1,
): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${new URL('fixtures/signal-before-write.mjs', import.meta.url)}`,
  SIGNAL_BEFORE_WRITE: JSON.stringify({ signal, file, n }),
})

/** The environment of a command that finds the disk full when it replaces a file for the n-th time. */
export const fullDiskBeforeWrite = (file: string, n: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${new URL('fixtures/signal-before-write.mjs', import.meta.url)}`,
  SIGNAL_BEFORE_WRITE: JSON.stringify({ file, n }),
})

const batches = ['--batch', '8', '--threads', '1'] as const

/** Options for a network of one convolution, for commands whose result does not depend on the network. */
export const tinyNetwork: readonly string[] = [
  ...['--size', '20', ...batches, '--backbone', inject('backbone')],
]

/** Options for a narrow XResNet-18. */
export const narrowNetwork: readonly string[] = ['--size', '20', '--width', '8', ...batches]

/** The tensors of a checkpoint, in base64: weights and optimizer state. The header holds timings. */
export function tensorsOf(run: string): string {
  const file = readFileSync(join(run, 'last.safetensors'))
  return file.subarray(8 + Number(file.readBigUInt64LE())).toString('base64')
}

interface StoredHistory {
  readonly losses: readonly number[]
  readonly epochs: readonly {
    readonly top1: number
    readonly validationLoss: number
    readonly learningRate: number
  }[]
  readonly epochsChanges?: readonly unknown[]
  readonly providerChanges?: readonly unknown[]
  readonly friction: readonly unknown[]
}

/** The history.json of a run. */
export const historyOf = (run: string): StoredHistory =>
  JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'))
