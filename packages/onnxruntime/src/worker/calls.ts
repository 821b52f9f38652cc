import { TrainerError } from '../error.ts'
import type { Answer, Call, Message } from './message.ts'
import { arrived } from './sent-error.ts'

interface Waiting {
  readonly signal: AbortSignal | undefined
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Calls that the other end of a port answers, for as long as it is there. */
export class Calls {
  readonly #port: MessagePort
  readonly #closed: Promise<void>
  readonly #waiting = new Map<number, Waiting>()
  #count = 0
  /** Why no call is made any more. */
  #refusal: TrainerError | undefined

  constructor(port: MessagePort) {
    this.#port = port
    this.#closed = new Promise((resolve) => {
      port.addEventListener('close', () => {
        resolve()
        this.#abandon()
      })
    })
    port.onmessage = ({ data }: MessageEvent<Answer>) => this.#settle(data)
  }

  /** @throws What the call throws there, the reason of the signal, or that nobody is there. */
  async make(call: Call, signal?: AbortSignal): Promise<unknown> {
    if (this.#refusal) throw this.#refusal
    signal?.throwIfAborted()
    const id = ++this.#count
    this.#send({ id, call })
    const abort = (): void => this.#send({ id, aborted: true })
    signal?.addEventListener('abort', abort)
    return this.answer(id, signal).finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Makes the last call, of which whoever is no longer there has no need. */
  async end(call: Call): Promise<void> {
    if (this.#refusal) return
    const last = this.make(call)
    this.#refusal = new TrainerError('trainer: was disposed of')
    await Promise.race([last, this.#closed])
  }

  /** Waits for what became of a call. */
  answer(id: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { signal, resolve, reject }))
  }

  #send(message: Message): void {
    this.#port.postMessage(message)
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('value' in answer) waiting?.resolve(answer.value)
    else waiting?.reject('aborted' in answer ? waiting.signal?.reason : arrived(answer.error))
  }

  #abandon(): void {
    const ended = new TrainerError('trainer: its worker ended')
    this.#refusal ??= ended
    for (const { reject } of this.#waiting.values()) reject(ended)
    this.#waiting.clear()
  }
}
