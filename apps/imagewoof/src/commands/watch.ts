import { join } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { messageOf } from '../failure.ts'
import {
  type CommandContext,
  type InterruptOptions,
  runInterruptibly,
} from '../terminal/context.ts'
import { defaultPort, LivePage, type WatchOption } from '../watch/live-page.ts'
import { type ProviderRequest, resumeCommandLine, withProvider } from './command-line.ts'

/** An option that shows a training on a page while it runs. */
export const watchOption = (): Option =>
  new Option(
    '--watch [port]',
    `show the report on a page of this machine while it trains (default port: ${defaultPort})`,
  ).argParser((text) => {
    const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (port >= 1 && port <= 65535) return port
    throw new InvalidArgumentError(
      'It must be a port, a whole number from 1 to 65535; without one, write --watch last.',
    )
  })

/**
 * Runs a training that can be interrupted, with a live page if the user asked for one. The page is served
 * until the training ends; open pages keep showing its result.
 *
 * @param options - with the provider that the user asked for.
 * @param work - returns the folder that it wrote.
 */
export const runWatched = (
  watch: WatchOption | undefined,
  { provider, ...options }: InterruptOptions & { readonly provider: ProviderRequest },
  work: (context: CommandContext) => Promise<string>,
): Promise<void> =>
  runInterruptibly(async (interruptible) => {
    const context = withProvider(interruptible, provider)
    if (watch === undefined || !context.ranks.isFirst) return void (await work(context))
    const livePage = await LivePage.open(watch, (line) => context.screen.write(line))
    try {
      const folder = await work({ ...context, livePage })
      if (context.signal.aborted)
        await livePage.end('interrupted', `to resume: ${resumeCommandLine(folder, context)}`)
      else await livePage.end('finished', `the report is ${join(folder, 'report.html')}`)
    } catch (error) {
      const [state, text] = context.signal.aborted
        ? (['interrupted', 'while the data was being opened'] as const)
        : (['failed', messageOf(error)] as const)
      await livePage.end(state, text)
      throw error
    }
  }, options)
