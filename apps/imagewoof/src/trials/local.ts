import { availableParallelism } from 'node:os'
import { describeOwner } from '../lock.ts'
import type { CommandContext } from '../terminal/context.ts'
import type { TrialPlan } from './plan.ts'
import { runTrialProcess } from './process.ts'
import { TrialsProgress } from './progress.ts'

/** Number of trials to train at once; `auto`: as many as the cores allow. */
export type Jobs = number | 'auto'

/** @param threads - of one trial. */
export const jobCount = (jobs: Jobs, threads: number): number =>
  jobs === 'auto' ? Math.max(1, Math.floor(availableParallelism() / threads)) : jobs

/**
 * Trains the remaining runs of a plan, several at once, each in a process of its own. A trial that fails ends the
 * others after their step in progress.
 *
 * @param jobs - number of processes.
 * @throws {Failure} With the message of the first trial that failed.
 */
export async function trainByProcesses(
  plan: TrialPlan,
  jobs: number,
  { screen, signal, provider, threads, dataPath }: CommandContext,
): Promise<void> {
  const remaining = await plan.remainingRuns()
  for (const { name, owner } of remaining)
    if (owner) screen.write(`${name}: left to ${describeOwner(owner)}`)
  const pending = remaining.filter(({ owner }) => owner === undefined)
  const { runCount } = plan
  const progress = new TrialsProgress(screen, runCount - remaining.length, runCount)
  const failure = new AbortController()
  const either = AbortSignal.any([signal, failure.signal])
  const trainNext = async (): Promise<void> => {
    while (!either.aborted) {
      const trial = pending.shift()
      if (trial === undefined) return
      progress.update(trial)
      try {
        await runTrialProcess(plan.path, trial.number, {
          ...{ provider, threads, dataPath, signal: either },
          onLine: (text) => progress.line(trial, text),
          onProgress: (step) => progress.update(trial, step),
        })
      } catch (error) {
        failure.abort(error)
      }
      progress.remove(trial, !either.aborted)
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, trainNext))
  } finally {
    progress.stop()
  }
  if (failure.signal.aborted) throw failure.signal.reason
}
