import { once } from 'node:events'
import { hostname } from 'node:os'
import { type Job, WaitingError, Worker } from 'bullmq'
import type { CommandContext } from '../terminal/context.ts'
import type { Progress } from '../terminal/screen.ts'
import { runTrialProcess } from './process.ts'
import { TrialsProgress } from './progress.ts'
import {
  leaseOf,
  queueName,
  type RedisAddress,
  RedisConnection,
  type TrialJob,
  type TrialReport,
} from './redis.ts'

/** How a worker trains. */
export interface WorkerOptions {
  /** Number of trials at once. */
  readonly jobs: number
  /** Seconds without renewal after which a worker loses its lease of a trial to another worker. */
  readonly leaseSeconds: number
  /** Trains a trial; by default in a process of its own. */
  readonly train?: typeof runTrialProcess
}

/** How often a trial may lose its worker. Each time it continues from its last checkpoint. */
const maxStalledCount = 100

/**
 * Trains the trials of a queue, each in a process of its own, until the signal aborts; then those in
 * training save a checkpoint, and return to the queue. The process of a trial whose lease is lost is killed,
 * because another worker may train the trial then.
 *
 * @throws {Failure} If Redis cannot be reached.
 */
export async function runWorker(
  address: RedisAddress,
  { jobs, leaseSeconds, train = runTrialProcess }: WorkerOptions,
  { screen, signal, provider, threads, dataPath }: Omit<CommandContext, 'ranks'>,
): Promise<void> {
  const redis = await RedisConnection.open(address, screen)
  const progress = new TrialsProgress(screen)
  const lockDuration = 1000 * leaseSeconds
  /** By job. BullMQ renews them in this process, which never computes, and so is never late. */
  const leases = new Map<string, Lease>()
  const trainTrial = async (job: Job<TrialJob>, token?: string): Promise<void> => {
    const { folder, number, name } = job.data
    const { id = '' } = job
    const trial = { name }
    const reporter = new Reporter((report) => job.updateProgress(report))
    const lease = new Lease(lockDuration)
    leases.set(id, lease)
    progress.update(trial)
    progress.line(trial, `trial ${number} of ${folder}`)
    let hasEnded = false
    try {
      await train(folder, number, {
        ...{
          provider,
          threads,
          dataPath,
          signal,
          lease: { id: leaseOf(address, id), lost: lease.lost },
        },
        onLine: (text) => {
          progress.line(trial, text)
          reporter.line(text)
        },
        onProgress: (step) => {
          progress.update(trial, step)
          reporter.progress(step)
        },
      })
      hasEnded = !signal.aborted
    } catch (error) {
      if (!lease.lost.aborted) throw error
      progress.line(trial, 'the lease is lost; the process was killed')
    } finally {
      lease.end()
      if (leases.get(id) === lease) leases.delete(id)
      reporter.send()
      progress.remove(trial, hasEnded)
    }
    if (hasEnded) return
    if (redis.isUp) await job.moveToWait(token).catch(redis.tell)
    progress.line(trial, 'left to other workers')
    throw new WaitingError()
  }
  const worker = new Worker(queueName, trainTrial, {
    ...redis.queueOptions,
    ...{ concurrency: jobs, lockDuration, stalledInterval: lockDuration / 2, maxStalledCount },
  })
  worker.on('error', redis.tell)
  worker.on('failed', (job, { message }) =>
    screen.write(`${job?.data.name ?? 'trial'}: ${message}`),
  )
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) leases.get(id)?.lose()
  })
  worker.on('locksRenewed', ({ jobIds }) => {
    for (const id of jobIds) leases.get(id)?.renew()
  })
  screen.write(`waiting for trials of ${address.name}; Ctrl-C ends`)
  if (!signal.aborted) await once(signal, 'abort')
  await redis.close([worker])
  progress.stop()
}

/** The right to train a trial, until another worker may have it. */
class Lease {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  /** @param duration - in milliseconds, of BullMQ's lock of the job, which it renews after the half at latest. */
  constructor(duration: number) {
    // The last quarter is for a slow network, and for the process to die in.
    this.#timer = setTimeout(() => this.lose(), 0.75 * duration)
  }

  /** Aborts when the right has ended, as far as this process can know. */
  get lost(): AbortSignal {
    return this.#controller.signal
  }

  renew(): void {
    this.#timer.refresh()
  }

  lose(): void {
    this.#controller.abort()
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

const reportMilliseconds = 500

/** Sends what a trial's process shows to the process that shows the plan: twice a second at most. */
class Reporter {
  readonly #update: (report: TrialReport) => Promise<void>
  #report: TrialReport = { lines: [] }
  #timer: NodeJS.Timeout | undefined
  #sent: Promise<void> = Promise.resolve()

  constructor(update: (report: TrialReport) => Promise<void>) {
    this.#update = update
  }

  line(text: string): void {
    this.#report = { ...this.#report, lines: [...this.#report.lines, text] }
    this.#sendSoon()
  }

  progress(progress: Progress | undefined): void {
    const shown = progress && { ...progress, details: [...progress.details, hostname()] }
    this.#report = { ...this.#report, progress: shown }
    this.#sendSoon()
  }

  /** Sends pending progress. An error is ignored: Redis may have lost the job. */
  send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sent = this.#update(this.#report).catch(() => undefined)
    this.#report = { ...this.#report, lines: [] }
  }

  /** Waits for the previous report, too, so that none accumulate while Redis cannot be reached. */
  #sendSoon(): void {
    this.#timer ??= setTimeout(() => this.#sent.then(() => this.send()), reportMilliseconds)
  }
}
