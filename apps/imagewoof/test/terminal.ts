import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import xterm from '@xterm/headless'
import { inject, onTestFinished } from 'vitest'

const found = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? ''

/** Whether `script` of util-linux, which opens the pseudo-terminals, is installed. */
export const hasScript = found.includes('util-linux')

/** The title of a block of tests on a pseudo-terminal, with the reason if they are skipped. */
export const terminalTitle: string = hasScript
  ? 'on a terminal'
  : 'on a terminal: skipped, because `script` of util-linux is not installed'

/** A private code of the control sequence that tells the name of the pseudo-terminal. */
const deviceCode = 7777

interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * A command on a pseudo-terminal, and the screen that a person sees: the bytes are interpreted by
 * xterm.js.
 */
export class TerminalSession {
  readonly #child: ChildProcess
  readonly #screen: xterm.Terminal
  readonly #watchers = new Set<() => void>()
  #hidesCursor = false
  #device = ''
  /** The exit code: 128 plus the signal's number if a signal ended the command. */
  readonly ended: Promise<number | null>

  /** @param command - of sh. */
  constructor(
    command: string,
    { columns = 100, rows = 30, cwd, environment }: TerminalOptions = {},
  ) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
    for (const final of ['h', 'l'])
      this.#screen.parser.registerCsiHandler({ prefix: '?', final }, (modes) => {
        if (modes.includes(25)) this.#hidesCursor = final === 'l'
        return false
      })
    this.#screen.parser.registerOscHandler(deviceCode, (device) => {
      this.#device = device
      return true
    })
    const { CI: _, NO_COLOR: _1, ...inherited } = process.env
    this.#child = spawn(
      'script',
      [
        '-qfec',
        `stty cols ${columns} rows ${rows}; printf '\\033]${deviceCode};%s\\007' $(tty); ${command}`,
        '/dev/null',
      ],
      {
        cwd,
        env: { ...inherited, SHELL: '/bin/sh', TERM: 'xterm-256color', ...environment },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    this.#child.stdout?.on('data', (bytes: Uint8Array) =>
      this.#screen.write(bytes, () => {
        for (const watcher of this.#watchers) watcher()
      }),
    )
    this.ended = new Promise((resolve) =>
      this.#child.on('close', (code) => this.#screen.write('', () => resolve(code))),
    )
    onTestFinished(() => this.close())
  }

  /** All lines of the screen and above it, without trailing spaces and empty lines. */
  get text(): string {
    const { buffer } = this.#screen
    const lines = Array.from({ length: buffer.active.length }, (_, i) =>
      buffer.active.getLine(i)?.translateToString(true),
    )
    return lines.join('\n').trimEnd()
  }

  /** Whether the cursor is shown and long lines are wrapped, as a shell expects. */
  get isRestored(): boolean {
    return !this.#hidesCursor && this.#screen.modes.wraparoundMode
  }

  /** Waits until the screen shows a text. */
  async waitFor(text: string | RegExp): Promise<void> {
    const shows = (): boolean =>
      typeof text === 'string' ? this.text.includes(text) : text.test(this.text)
    if (shows()) return
    await new Promise<void>((resolve, reject) => {
      const watcher = (): void => {
        if (!shows()) return
        this.#watchers.delete(watcher)
        resolve()
      }
      this.#watchers.add(watcher)
      this.ended.then(() => reject(new Error(`${text} was never shown, but\n${this.text}`)))
    })
  }

  /** Types on the keyboard. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Changes the width, as dragging the window's edge does. */
  resize(columns: number): void {
    this.#screen.resize(columns, this.#screen.rows)
    execFileSync('stty', ['-F', this.#device, 'cols', `${columns}`])
  }

  /** Closes the window: the processes in it get SIGHUP. */
  close(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Runs the command line on a pseudo-terminal. */
export const startOnTerminal = (
  args: readonly string[],
  options: TerminalOptions = {},
): TerminalSession =>
  new TerminalSession(
    `exec ${[process.execPath, inject('main'), ...args].map((word) => `'${word}'`).join(' ')}`,
    options,
  )
