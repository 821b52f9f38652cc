import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { formatCount, formatDuration } from '../format.ts'
import { readReportData, runContent } from '../report/run-report.ts'
import { RunFolder } from '../run/run-folder.ts'
import { livePage } from './page.ts'

/** What the server is started with. */
interface ServerOptions {
  readonly port: number
  /** Whether another port is chosen if this one is in use. */
  readonly fallback: boolean
}

/** Sent once, when the server listens or cannot. */
export interface ServerMessage {
  readonly port: number
  readonly error?: string
}

/** What the training reports. */
export type PageMessage =
  | { readonly kind: 'run'; readonly path: string; readonly steps: number }
  | { readonly kind: 'comparison'; readonly heading: string; readonly content: readonly string[] }
  | {
      readonly kind: 'step'
      readonly steps: number
      readonly images: number
      readonly loss: number
    }
  | { readonly kind: 'saved' }
  | { readonly kind: 'end'; readonly state: string; readonly text: string }

/** The line at the top of the page. */
interface Status {
  readonly state: string
  readonly text: string
}

/** A run as the page shows it. */
interface ShownRun {
  readonly folder: RunFolder
  /** Steps of the whole training. */
  readonly steps: number
  /** Losses of the steps of this process, by their index in the run. */
  readonly losses: Map<number, number>
  readonly started: number
  images: number
}

/** Least and longest time between two renderings, in milliseconds. */
const [leastInterval, longestInterval] = [1000, 5000]

/** The time between two renderings is this many times that of one, so that they take little from training. */
const renderRatio = 20

/** A page with more unsent bytes than this is disconnected. It connects again, and receives all sections. */
const maxUnsent = 2 ** 25

/** Serves the live page and its events: the markup of each section of the report, when it changes. */
class LiveServer {
  readonly #clients = new Set<ServerResponse>()
  readonly #server = createServer((request, response) => this.#respond(request, response))
  #status: Status = { state: 'starting', text: 'opening the data' }
  #comparison: Extract<PageMessage, { kind: 'comparison' }> | undefined
  #run: ShownRun | undefined
  /** Markup of the sections that all clients have. */
  #sections: readonly string[] = []
  #isStale = false
  #rendering: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #nextRendering = 0

  /** Starts to listen, and returns the port. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' && address ? address.port : port)
      })
    })
  }

  receive(message: PageMessage): void {
    if (message.kind === 'end') return void this.#end(message)
    if (message.kind === 'comparison') {
      this.#comparison = message
      this.#run = undefined
    } else if (message.kind === 'run') {
      const { path, steps } = message
      const folder = new RunFolder(path)
      this.#run = { folder, steps, losses: new Map(), started: performance.now(), images: 0 }
      this.#setStatus({ state: 'training', text: this.#textOf('starting') })
    } else if (message.kind === 'step' && this.#run) {
      const { losses, steps, started } = this.#run
      losses.set(message.steps - 1, message.loss)
      this.#run.images += message.images
      const seconds = (performance.now() - started) / 1000
      const left = ((steps - message.steps) * seconds) / losses.size
      const progress = [
        `step ${formatCount(message.steps)} of ${formatCount(steps)}`,
        `loss ${message.loss.toFixed(3)}`,
        `${(this.#run.images / seconds).toFixed(0)} images/s`,
        `${formatDuration(left)} left`,
      ].join(' · ')
      this.#setStatus({ state: 'training', text: this.#textOf(progress) })
    }
    this.#isStale = true
    this.#schedule()
  }

  #textOf(progress: string): string {
    const heading = this.#comparison?.heading
    return heading ? `${heading} · ${progress}` : progress
  }

  #setStatus(status: Status): void {
    this.#status = status
    this.#send('status', status)
  }

  /** Renders soon, if a page is open and something has changed. */
  #schedule(): void {
    if (this.#timer || this.#clients.size === 0 || !this.#isStale) return
    const wait = Math.max(this.#nextRendering - performance.now(), 0)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#render().then(() => this.#schedule(), fail)
    }, wait)
  }

  /** Renders the report and sends the sections that changed. Renderings do not overlap. */
  async #render(): Promise<void> {
    await this.#rendering
    if (!this.#isStale) return
    this.#isStale = false
    this.#rendering = this.#renderNow()
    await this.#rendering
  }

  async #renderNow(): Promise<void> {
    const started = performance.now()
    const sections = [...(this.#comparison?.content ?? []), ...(await this.#runSections())]
    const changed = sections.flatMap((markup, i) =>
      withoutIds(markup) === withoutIds(this.#sections[i] ?? '') ? [] : [[i, markup] as const],
    )
    const count = sections.length
    if (changed.length > 0 || count !== this.#sections.length)
      this.#send('report', { count, changed })
    this.#sections = sections
    const interval = Math.max(leastInterval, renderRatio * (performance.now() - started))
    this.#nextRendering = started + Math.min(interval, longestInterval)
  }

  /** The report of the run's files, with the losses since they were written. */
  async #runSections(): Promise<readonly string[]> {
    if (!this.#run) return []
    const { folder, losses } = this.#run
    const data = await readReportData(folder)
    const all = [...data.history.losses]
    for (let loss = losses.get(all.length); loss !== undefined; loss = losses.get(all.length))
      all.push(loss)
    const { content } = runContent({ ...data, history: { ...data.history, losses: all } })
    return content.map(({ markup }) => markup)
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request)
    if (refusal) {
      const [code, text] = refusal
      response.writeHead(code, { 'content-type': 'text/plain', connection: 'close' }).end(text)
    } else if (request.url === '/events') this.#connect(response)
    else {
      const { markup, policy } = livePage()
      response
        .writeHead(200, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': policy,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        })
        .end(markup)
    }
  }

  /** The status and the text that a request is refused with; undefined if it is served. */
  #refusalOf({
    method,
    url = '',
    headers,
  }: IncomingMessage): readonly [number, string] | undefined {
    // Any other name is that of a foreign page, which had its name resolved to this machine.
    if (!this.#hosts().includes(headers.host ?? ''))
      return [403, 'The Host header must name 127.0.0.1 or localhost.\n']
    if (method !== 'GET') return [405, 'Only GET is allowed.\n']
    if (!['/', '/events'].includes(url)) return [404, 'There is no such page.\n']
    return undefined
  }

  #hosts(): readonly string[] {
    const address = this.#server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const names = ['127.0.0.1', 'localhost']
    return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])]
  }

  /** Opens a stream of events, which begins with all sections and the status. */
  #connect(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.write('retry: 1000\n\n')
    response.write(eventText('status', this.#status))
    const changed = this.#sections.map((markup, i) => [i, markup] as const)
    response.write(eventText('report', { count: changed.length, changed }))
    this.#clients.add(response)
    response.on('close', () => this.#clients.delete(response))
    this.#schedule()
  }

  #send(event: string, data: unknown): void {
    for (const client of this.#clients)
      if (client.writableLength > maxUnsent) client.destroy()
      else client.write(eventText(event, data))
  }

  /** Sends the last report and status, and closes all connections and the server. */
  async #end({ state, text }: Status): Promise<void> {
    clearTimeout(this.#timer)
    this.#isStale = this.#clients.size > 0
    await this.#render().catch(() => undefined)
    this.#setStatus({ state, text })
    this.#server.close()
    const timeout = setTimeout(() => this.#server.closeAllConnections(), 2000)
    await Promise.all(
      Array.from(this.#clients, (client) => {
        const closed = new Promise<void>((resolve) => client.once('close', resolve))
        return Promise.race([closed, new Promise<void>((resolve) => client.end(resolve))])
      }),
    )
    clearTimeout(timeout)
    this.#server.closeAllConnections()
    parentPort?.close() // Nothing else keeps this thread alive.
  }
}

/** Markup without the identifiers of clip paths, which echarts numbers anew in each chart. */
const withoutIds = (markup: string): string => markup.replace(/\bzr\d+-/g, '')

const eventText = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** Ends this thread with an error, which the main thread prints. */
function fail(error: unknown): never {
  throw error
}

const { port, fallback }: ServerOptions = workerData // Posted by `LivePage.open`.
const server = new LiveServer()
const listening = server.listen(port).catch((error: NodeJS.ErrnoException) => {
  if (fallback && error.code === 'EADDRINUSE') return server.listen(0)
  throw error
})
listening.then(
  (chosen) => {
    parentPort?.on('message', (message: PageMessage) => server.receive(message))
    parentPort?.postMessage({ port: chosen } satisfies ServerMessage)
  },
  (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EADDRINUSE' ? 'it is in use' : error.message
    parentPort?.postMessage({ port, error: reason } satisfies ServerMessage)
  },
)
