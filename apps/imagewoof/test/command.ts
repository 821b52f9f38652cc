import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

/** What a command left. */
export interface Ended {
  /** Undefined where a signal ended it. */
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** A folder of its own for a test file. */
export const scratch = (): string => mkdtempSync(join(tmpdir(), 'imagewoof-'))

/** Starts the command line in a process of its own. */
export function start(
  args: readonly string[],
  cache: string,
  environment: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
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
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ code, output, errors })),
  )
  return { child, ended }
}

/** Runs the command line to its end. */
export const run = (...given: Parameters<typeof start>): Promise<Ended> => start(...given).ended

/** A network that trains in a moment. */
export const tiny: readonly string[] = [
  '--size',
  '20',
  '--width',
  '8',
  '--batch',
  '8',
  '--threads',
  '1',
]
