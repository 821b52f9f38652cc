import { once } from 'node:events'
import { resolve } from 'node:path'
import { Queue, QueueEvents } from 'bullmq'
import { Failure } from '../failure.ts'
import { describeOwner } from '../lock.ts'
import type { CommandContext } from '../terminal/context.ts'
import type { RemainingRun, TrialPlan } from './plan.ts'
import { TrialsProgress } from './progress.ts'
import {
  jobIdOf,
  leaseOf,
  queueName,
  type RedisAddress,
  RedisConnection,
  type TrialJob,
  type TrialReport,
} from './redis.ts'

/** A trial that fails is trained anew, twice, perhaps on another machine. */
const retries = { attempts: 3, backoff: { type: 'fixed', delay: 1000 } }

/** Results are in the folder of the plan: Redis holds no more than the trials that have not ended. */
const jobOptions = { ...retries, removeOnComplete: true, removeOnFail: true }

/**
 * Puts the remaining trials on a queue, each once, however often this is called. Shows their progress until
 * workers have trained all, or the signal aborts; then the trials stay on the queue.
 *
 * @throws {Failure} If Redis cannot be reached, or trials failed: with their messages.
 */
export async function trainByQueue(
  plan: Pick<TrialPlan, 'path' | 'runCount' | 'remainingRuns'>,
  address: RedisAddress,
  { screen, signal }: Pick<CommandContext, 'screen' | 'signal'>,
): Promise<void> {
  const folder = resolve(plan.path)
  const remaining = await plan.remainingRuns()
  /** The trials that this process waits for, by job. */
  const trials = new Map<string, RemainingRun>()
  for (const trial of remaining) {
    const { number, name, owner } = trial
    const id = jobIdOf({ folder, number })
    if (owner === undefined || owner.lease === leaseOf(address, id)) trials.set(id, trial)
    else screen.write(`${name}: left to ${describeOwner(owner)}`)
  }
  if (trials.size === 0) return

  const redis = await RedisConnection.open(address, screen)
  const queue = new Queue<TrialJob, void, string>(queueName, redis.queueOptions)
  const lastEventId = await redis.lastEventId()
  const events = new QueueEvents(queueName, { ...redis.queueOptions, lastEventId })
  queue.on('error', redis.tell)
  events.on('error', redis.tell)

  const progress = new TrialsProgress(screen, plan.runCount - remaining.length, plan.runCount)
  const failures: string[] = []
  const ended = new AbortController()
  const end = (id: string, failure?: string): void => {
    const trial = trials.get(id)
    if (trial === undefined) return
    trials.delete(id)
    if (failure !== undefined) {
      failures.push(failure)
      progress.line(trial, failure)
    }
    progress.remove(trial, failure === undefined)
    if (trials.size === 0) ended.abort()
  }
  const wait = ({ jobId }: { readonly jobId: string }): void => {
    const trial = trials.get(jobId)
    if (trial) progress.remove(trial, false)
  }
  events.on('active', ({ jobId }) => {
    const trial = trials.get(jobId)
    if (trial) progress.update(trial)
  })
  events.on('progress', ({ jobId, data }) => {
    const trial = trials.get(jobId)
    if (trial === undefined) return
    const { lines, progress: step } = data as TrialReport // By a worker.
    for (const line of lines) progress.line(trial, line)
    progress.update(trial, step)
  })
  events.on('waiting', wait)
  events.on('delayed', wait)
  events.on('stalled', ({ jobId }) => {
    const trial = trials.get(jobId)
    if (trial) progress.line(trial, 'its worker is lost; queued again')
    wait({ jobId })
  })
  events.on('completed', ({ jobId }) => end(jobId))
  events.on('failed', ({ jobId, failedReason }) => end(jobId, failedReason))

  const enqueue = async (): Promise<void> => {
    const jobs = [...trials].map(([id, { number, name }]) => ({
      ...{ name: 'trial', data: { folder, number, name } },
      opts: { ...jobOptions, jobId: id },
    }))
    await queue.addBulk(jobs)
  }
  // Redis may have lost jobs, and events of those that have ended.
  redis.onReturn = async () => {
    const open = new Set(
      (await plan.remainingRuns()).map(({ number }) => jobIdOf({ folder, number })),
    )
    for (const id of trials.keys()) if (!open.has(id)) end(id)
    await enqueue()
  }
  try {
    await enqueue()
    screen.write(`queued at ${address.name}: ${trials.size} of ${plan.runCount} trials`)
    const either = AbortSignal.any([signal, ended.signal])
    if (!either.aborted) await once(either, 'abort')
  } finally {
    progress.stop()
    await redis.close([queue, events])
  }
  if (signal.aborted) screen.write(`left to the workers of ${address.name}: ${trials.size} trials`)
  if (failures.length > 0) throw new Failure(failures.join('\n'))
}
