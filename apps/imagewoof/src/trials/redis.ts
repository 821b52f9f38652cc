import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { Failure, reasonOf } from '../failure.ts'
import type { Progress, Screen } from '../terminal/screen.ts'

/** Redis on which trials are queued. */
export interface RedisAddress {
  /** Such as `redis://host:6379`: without a password. */
  readonly name: string
  readonly options: {
    readonly host: string
    readonly port: number
    readonly db: number
    readonly username?: string
    readonly password?: string
    readonly tls?: object
  }
}

/**
 * Parses `redis://[user:password@]host[:port][/database]`; `rediss:` is Redis over TLS.
 *
 * @returns undefined if the text is no such address.
 */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text)
  const database = /^\/?(\d*)$/.exec(pathname)?.[1]
  if (protocol !== 'redis:' && protocol !== 'rediss:') return undefined
  if (hostname === '' || database === undefined || search !== '' || hash !== '') return undefined
  const host = hostname.replace(/^\[(.*)\]$/, '$1') // An IPv6 address.
  const options = {
    ...{ host, port: Number(port || 6379), db: Number(database) },
    ...(username && { username: decoded(username) }),
    ...(password && { password: decoded(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
  const suffix = options.db === 0 ? '' : `/${options.db}`
  return { name: `${protocol}//${hostname}:${options.port}${suffix}`, options }
}

/** A text without its percent-encoding, if that is valid. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The keys in Redis begin with `imagewoof:trials:`. */
export const queueName = 'trials'

/** What a worker needs to train a trial. */
export interface TrialJob {
  /** The folder of the plan: the same path on all machines. */
  readonly folder: string
  readonly number: number
  readonly name: string
}

/** What a worker tells of a trial in training. */
export interface TrialReport {
  /** Since the last report. */
  readonly lines: readonly string[]
  /** Undefined between two tasks. */
  readonly progress?: Progress | undefined
}

/** The job of a trial: the same one however often it is queued. */
export const jobIdOf = ({ folder, number }: Pick<TrialJob, 'folder' | 'number'>): string =>
  `${createHash('sha256').update(folder).digest('hex').slice(0, 16)}-${number}`

/** What a process holds while it trains a trial for a queue: a worker's lock of the job, as lock files name it. */
export const leaseOf = ({ name }: RedisAddress, id: string): string => `${name}/${queueName}/${id}`

const connectTimeout = 10_000

/** A connection that tells the user when Redis goes away and returns. BullMQ opens further ones. */
export class RedisConnection {
  readonly #address: RedisAddress
  readonly #client: Redis
  readonly #screen: Screen
  #isUp = false
  /** Whether to connect again after a failure. */
  #retries = false
  #reason: unknown
  /** Called when Redis can be reached again. */
  onReturn: () => Promise<void> = async () => undefined

  /** @throws {Failure} If Redis cannot be reached, or refuses the user. */
  static async open(address: RedisAddress, screen: Screen): Promise<RedisConnection> {
    const client = await import('ioredis')
    const connection = new RedisConnection(client.Redis, address, screen)
    try {
      await connection.#connect()
    } catch (cause) {
      connection.#client.disconnect()
      const reason = reasonOf(connection.#reason ?? cause)
      throw new Failure(`${address.name}: cannot connect to Redis: ${reason}`, { cause })
    }
    return connection
  }

  private constructor(client: typeof Redis, address: RedisAddress, screen: Screen) {
    this.#address = address
    this.#screen = screen
    this.#client = new client({
      ...{ ...this.#connectionOptions, lazyConnect: true },
      ...{ commandTimeout: connectTimeout, maxRetriesPerRequest: 0 },
    })
    this.#client.on('error', (error) => {
      this.#reason = error
    })
  }

  async #connect(): Promise<void> {
    await this.#client.connect()
    await this.#client.ping()
    if (this.#reason !== undefined) throw this.#reason // Such as a database that does not exist.
    this.#retries = true
    this.#isUp = true
    this.#client.on('close', () => {
      if (!this.#isUp) return
      this.#isUp = false
      this.#screen.write(`${this.#address.name}: the connection is lost; trying again`)
    })
    this.#client.on('ready', () => {
      this.#isUp = true
      this.#screen.write(`${this.#address.name}: connected again`)
      this.onReturn().catch(this.tell)
    })
  }

  /** Whether Redis can be reached, as far as known. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** The position in a stream after all events so far. Its ids are times of Redis. */
  async lastEventId(): Promise<string> {
    const [seconds, microseconds] = await this.#client.time()
    return `${1000 * Number(seconds) + Math.floor(Number(microseconds) / 1000)}-0`
  }

  /** The options of BullMQ's queues, workers and listeners. */
  get queueOptions() {
    return { prefix: 'imagewoof', connection: this.#connectionOptions }
  }

  get #connectionOptions() {
    const retryStrategy = (attempt: number): number | null =>
      this.#retries ? Math.min(100 * 2 ** attempt, 2000) : null
    return { ...this.#address.options, connectTimeout, retryStrategy }
  }

  /** Shows an error of BullMQ, unless it tells of a lost connection or lease, which is told elsewhere. */
  readonly tell = (error: Error): void => {
    const isTold =
      'errno' in error || /^Connection is closed|renew lock|^Missing/.test(error.message)
    if (this.#isUp && !isTold) this.#screen.write(`${this.#address.name}: ${error.message}`)
  }

  /** Closes BullMQ's users of the queue, and then this connection. */
  async close(users: readonly QueueUser[]): Promise<void> {
    this.#retries = false
    if (this.#isUp) await Promise.all(users.map((user) => user.close()))
    else
      for (const user of users) {
        // Without Redis, BullMQ may wait for ever.
        user.close(true).catch(() => undefined)
        user.disconnect().catch(() => undefined)
      }
    this.#isUp = false
    this.#client.disconnect()
  }
}

/** What is common to BullMQ's queues, workers and listeners. */
interface QueueUser {
  /** @param force - of a worker: whether to wait for nothing. */
  close(force?: boolean): Promise<void>
  disconnect(): Promise<void>
}
