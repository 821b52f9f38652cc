import { positiveInteger } from '@diffgrad/core'
import { type Command, Option } from 'commander'
import { Failure } from '../failure.ts'
import type { ProviderChoice } from '../provider.ts'
import { runInterruptibly } from '../terminal/context.ts'
import { type Jobs, jobCount } from '../trials/local.ts'
import type { RedisAddress } from '../trials/redis.ts'
import {
  dataPathOption,
  jobsOption,
  numberIn,
  parseQueue,
  providerOption,
  threadsOption,
  withProvider,
} from './command-line.ts'

interface WorkerOptions {
  readonly data?: string
  readonly threads?: number
  readonly jobs?: Jobs
  readonly lease: number
  readonly provider?: ProviderChoice
}

/** Adds `worker`: trains the runs that `--queue` puts on a queue. */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('train the runs that compare, sweep and resume put on a --queue, until Ctrl-C')
    .argument('<queue>', 'Redis, such as redis://host:6379', parseQueue)
    .addOption(jobsOption())
    .addOption(threadsOption())
    .addOption(dataPathOption())
    .addOption(
      new Option(
        '--lease <seconds>',
        'if this machine dies, or does not reach Redis for so long, its runs are given to other workers',
      )
        .argParser(numberIn(positiveInteger))
        .default(30),
    )
    .addOption(providerOption())
    .action(async (queue: RedisAddress, options: WorkerOptions) => {
      const { data: dataPath, threads, jobs = 1, lease, provider: choice } = options
      if (jobs === 'auto' && threads === undefined)
        throw new Failure('--jobs auto needs --threads, because a worker trains runs of any plan')
      const { runWorker } = await import('../trials/worker.ts') // BullMQ loads slowly.
      await runInterruptibly((context) =>
        runWorker(
          queue,
          { jobs: jobCount(jobs, threads ?? 1), leaseSeconds: lease },
          withProvider(context, { choice, engines: [], threads, dataPath }),
        ),
      )
    })
}
