import type { Backend, SavedArray } from './backend.ts'
import type { Attempt, Exchange, Failure, StepCall, Sums } from './exchange.ts'
import { optionsText } from './options.ts'
import type { ParameterGroups } from './parameter-group.ts'
import type { Hyperparameters } from './rule.ts'
import type { GroupGradients } from './update.ts'

// Data-parallel training: several ranks, each a process or a thread with a copy of the parameters, compute
// gradients of different batches, and make the same update of their sum.

/** The ranks that train together. Each makes the same calls, in the same order. */
export abstract class Communicator implements Sums {
  /** The number of this rank, from 0. */
  abstract readonly rank: number
  /** The number of ranks. */
  abstract readonly size: number
  abstract sumSync(arrays: readonly SavedArray[]): void
  abstract sum(arrays: readonly SavedArray[]): Promise<void>

  /**
   * The exchange of gradients that `distribute` of an optimizer uses. A method of the communicator, so that
   * programs that train alone do not load it.
   *
   * @throws RangeError if the backend keeps gradients on a device.
   * @internal
   */
  gradientExchange<T, H extends Hyperparameters>(
    rule: { readonly name: string },
    backend: Backend<T, unknown>,
    groups: ParameterGroups<T, H>,
  ): GradientExchange<T, H> {
    return new GradientExchange(rule, backend, groups, this)
  }
}

/** The number of a rank, and the number of ranks. */
type Place = Pick<Communicator, 'rank' | 'size'>

/** The error of another rank, or a difference between it and rank 0. */
export class RankError extends Error {
  override readonly name = 'RankError'
  readonly rank: number

  /** @param rank - the number of the rank that failed or differs. */
  constructor(rank: number, message: string) {
    super(`rank ${rank}: ${message}`)
    this.rank = rank
  }
}

/**
 * Gathers the figures of every rank.
 *
 * @param figures - of this rank: as many on every rank, also if it has failed.
 * @param failure - of this rank.
 * @returns the figures by rank.
 * @throws on every rank if one has failed: its own failure on that rank, a RankError with its message on the
 * others.
 */
export function* gather(
  { rank, size }: Place,
  figures: Float64Array,
  failure?: Failure,
): Exchange<readonly Float64Array[]> {
  const { length } = figures
  const message = failure ? messageOf(failure) : ''
  // Each rank fills its own part, and the others add zeros. The last figure is the length of a message.
  const all = new Float64Array(size * (length + 1))
  if (!failure) all.set(figures, rank * (length + 1))
  all[rank * (length + 1) + length] = message.length
  yield [all]
  const messages = Array.from({ length: size }, (_, i) => all[i * (length + 1) + length])
  const failed = messages.findIndex((characters) => characters > 0)
  if (failed >= 0) {
    const texts = yield* gatherTexts({ rank, size }, message, Math.max(...messages))
    throw failure ? failure.reason : new RankError(failed, texts[failed])
  }
  return messages.map((_, i) => all.slice(i * (length + 1), i * (length + 1) + length))
}

const messageOf = ({ reason }: Failure): string =>
  (reason instanceof Error && reason.message) || String(reason) || 'an error'

/**
 * Checks that a text is the same on every rank.
 *
 * @param lines - such as the names and sizes of arrays, one a line.
 * @throws RankError on every rank, with the first line in which a rank differs from rank 0: `rank 1: has b: 4
 * where rank 0 has b: 5`.
 */
export function* requireSame(place: Place, lines: readonly string[]): Exchange<void> {
  const text = lines.join('\n')
  const all = yield* gather(place, Float64Array.of(text.length, textHash(text)))
  const [first, ...others] = all.map(String)
  if (others.every((one) => one === first)) return
  const texts = yield* gatherTexts(place, text, Math.max(...all.map(([characters]) => characters)))
  const [right, ...rest] = texts.map((one) => one.split('\n'))
  for (const [i, wrong] of rest.entries()) {
    const line = Array.from({ length: Math.max(right.length, wrong.length) }, (_, k) => k).find(
      (k) => right[k] !== wrong[k],
    )
    if (line === undefined) continue
    const [here, there] = [wrong, right].map((all) => all[line] ?? 'nothing')
    throw new RankError(i + 1, `has ${here} where rank 0 has ${there}`)
  }
}

/** The text of every rank, of at most so many characters. */
function* gatherTexts(
  { rank, size }: Place,
  text: string,
  length: number,
): Exchange<readonly string[]> {
  const codes = new Float64Array(size * length)
  codes.set(
    Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
    rank * length,
  )
  yield [codes]
  return Array.from({ length: size }, (_, i) =>
    Array.from(codes.subarray(i * length, (i + 1) * length), (code) =>
      code > 0 ? String.fromCharCode(code) : '',
    ).join(''),
  )
}

/** The offset basis of FNV-1a. */
const emptyHash = 0x811c9dc5

/** One round of FNV-1a, in 32 bits. */
const addToHash = (hash: number, word: number): number => Math.imul(hash ^ word, 0x01000193) >>> 0

function textHash(text: string): number {
  let hash = emptyHash
  for (let i = 0; i < text.length; i++) hash = addToHash(hash, text.charCodeAt(i))
  return hash
}

/** A hash of the bits of all elements. */
function elementsHash({ buffer, byteOffset, byteLength }: SavedArray): number {
  const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
  let hash = emptyHash
  for (let i = 0; i < words.length; i++) hash = addToHash(hash, words[i])
  return hash
}

/** The exchange of gradients between the optimizers of several ranks. */
export class GradientExchange<T, H extends Hyperparameters> {
  readonly communicator: Communicator
  readonly #rule: { readonly name: string }
  readonly #groups: ParameterGroups<T, H>
  readonly #toHost: (array: T) => SavedArray
  readonly #fromHost: (array: T, elements: SavedArray) => void
  /** The version of the groups whose parameters were compared last. */
  #compared: number | undefined

  constructor(
    rule: { readonly name: string },
    backend: Backend<T, unknown>,
    groups: ParameterGroups<T, H>,
    communicator: Communicator,
  ) {
    const { toHost, fromHost } = backend
    if (!toHost || !fromHost) {
      throw new RangeError(
        `${rule.name}: several ranks need gradients that can leave their device, but this backend keeps them there`,
      )
    }
    this.#rule = rule
    this.#groups = groups
    this.#toHost = toHost.bind(backend)
    this.#fromHost = fromHost.bind(backend)
    this.communicator = communicator
  }

  /** Compares the parameters and their elements again at the next step. */
  compareAgain(): void {
    this.#compared = undefined
  }

  /** @throws RangeError unless the ranks share the calls of an update equally. */
  checkAccumulation(accumulate: number, accumulated: number): void {
    const { size } = this.communicator
    const refuse = (what: string, value: number): never => {
      throw new RangeError(
        `${this.#rule.name}: ${what} must be a multiple of the number of ranks, ${size}, but is ${value}`,
      )
    }
    if (accumulate % size !== 0) refuse('accumulate', accumulate)
    if (accumulated % size !== 0) refuse('the number of accumulated calls', accumulated)
  }

  /**
   * Compares a call of `step` on all ranks.
   *
   * @returns the call; its gradients are finite if those of all ranks are.
   * @throws the error of this rank, or a RankError if another one has failed, or if a rank differs in its
   * parameters, their elements, its options or the parameters that have gradients. Nothing has changed then.
   */
  *compare(
    call: Attempt<StepCall<T, H>>,
    updates: number,
    skipped: number,
  ): Exchange<StepCall<T, H>> {
    const { version } = this.#groups
    const matched = call.value?.matched ?? []
    const isNew = this.#compared !== version
    const options = Array.from(this.#groups, (group) => optionsText(group.options, updates))
    const positions = matched.map((one) => one.positions.join())
    const figures = [
      ...[Number(call.value?.finite), Number(isNew), updates, skipped],
      ...[textHash(options.join()), textHash(positions.join(';'))],
    ]
    const all = yield* gather(this.communicator, Float64Array.from(figures), call.failure)
    const shared = all.map(([, ...others]) => others.join())
    if (isNew || shared.some((others) => others !== shared[0])) {
      const names = matched.flatMap(({ group, positions }) => positions.map((i) => group.names[i]))
      const gradients = names.map((name) => `a gradient of ${name}`)
      const lines = [
        ...this.#describe(updates),
        `${updates} updates`,
        `${skipped} skipped steps`,
        ...gradients,
      ]
      yield* requireSame(this.communicator, lines)
      this.#compared = version
    }
    return { matched, finite: all.every(([finite]) => finite === 1) }
  }

  /** Replaces gradients by their sums over all ranks. */
  *sum(accumulated: readonly GroupGradients<T, H>[]): Exchange<void> {
    const gradients = accumulated.flatMap((one) => one.gradients)
    const elements = gradients.map(this.#toHost)
    yield elements
    for (const [i, gradient] of gradients.entries()) this.#fromHost(gradient, elements[i])
  }

  /** The rule, and each parameter with its elements and its options. */
  #describe(updates: number): readonly string[] {
    const parameters = [...this.#groups].flatMap((group) => {
      const options = `${optionsText(group.options, updates)} of ${group.rule.name}`
      return group.parameters.map(({ name, value }) => {
        const elements = this.#toHost(value)
        const kind = `${elements.constructor.name}(${elements.length})`
        return `${name}: ${kind} with elements of hash ${elementsHash(elements)} and options ${options}`
      })
    })
    return [`the rule ${this.#rule.name}`, ...parameters]
  }
}
