import { spawn } from 'node:child_process'
import { Failure } from '../failure.ts'
import { leaseVariable } from '../lock.ts'
import { type Machine, machineArguments } from '../provider.ts'
import { type ChildMessage, interruptMessage, parentVariable } from '../terminal/parent.ts'
import type { Progress } from '../terminal/screen.ts'

/** How a trial is trained in a process of its own. */
export interface TrialProcessOptions extends Machine {
  /** Aborts to end the training after the step in progress. */
  readonly signal: AbortSignal
  /** Of a queue: its name, and a signal that kills the process, which must not train without the lease. */
  readonly lease?: { readonly id: string; readonly lost: AbortSignal }
  onLine(text: string): void
  /** @param progress - undefined between two tasks. */
  onProgress(progress: Progress | undefined): void
}

/**
 * Trains a trial of the plan in a folder, in a process of its own, until it has ended or the signal aborts.
 * The process ends with this one, however this one ends.
 *
 * @param number - of the trial, from 0.
 * @throws {Failure} If the process fails: with its error message, or the signal that ended it.
 */
export function runTrialProcess(
  folder: string,
  number: number,
  { signal, lease, onLine, onProgress, ...machine }: TrialProcessOptions,
): Promise<void> {
  const options = machineArguments(machine)
  const command = [process.argv[1], 'resume', folder, '--trial', `${number}`, ...options]
  const child = spawn(process.execPath, [...process.execArgv, ...command], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      ...process.env,
      [parentVariable]: `${process.pid}`,
      ...(lease && { [leaseVariable]: lease.id }),
    },
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.on('message', (message) => {
    const sent = message as ChildMessage // By ParentScreen.
    if (sent.kind === 'line') onLine(sent.text)
    else onProgress(sent.progress)
  })
  // A process that has ended needs no message.
  const interrupt = (): void => void child.send(interruptMessage, () => undefined)
  if (signal.aborted) interrupt()
  signal.addEventListener('abort', interrupt)
  lease?.lost.addEventListener('abort', () => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', interrupt)
      if (code === 0 || signal.aborted) return resolve()
      const reason = errors.trim().replace(/^error: /, '')
      const end = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
      reject(new Failure(`trial ${number}: ${reason === '' ? `ended by ${end}` : reason}`))
    })
  })
}
