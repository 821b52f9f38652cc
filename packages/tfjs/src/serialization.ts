import {
  type Hyperparameters,
  isPlainObject,
  noDecayOnBiasAndNorm,
  type OptimizerOptions,
  type ParameterState,
  type Selector,
  type StateDict,
  type UpdateRule,
} from '@diffgrad/core'
import {
  keep,
  type Optimizer,
  scalar,
  type serialization,
  type Tensor,
  tensor1d,
} from '@tensorflow/tfjs-core'

// Options: `getConfig` and `fromConfig`.

/** The version of the format that `encodeConfig` writes. */
const format = 1

/** A selector in a configuration. Regular expressions are stored as text without underscores; see `encodeSelector`. */
type EncodedSelector = { readonly pattern: string; readonly flags: string } | 'biasAndNorm'

/**
 * Encodes the options of an optimizer as JSON, including defaults, so that later changes of the defaults
 * do not affect saved models.
 *
 * @throws TypeError if a group has a rule of its own or is selected by a function, or an option follows one, which
 * cannot be saved.
 */
export function encodeConfig<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  { groups = [], ...options }: OptimizerOptions<H>,
): serialization.ConfigDict {
  for (const each of [options, ...groups]) checkNoFunctions(rule, each)
  const other = groups.find((group) => group.rule)
  if (other) {
    throw new TypeError(
      `${rule.name}: a group with a rule of its own, ${other.rule?.name}, cannot be saved with a model; save stateDict() beside it`,
    )
  }
  const encoded = groups.map((group) => {
    return { ...group, parameters: encodeSelector(rule, group.parameters) }
  })
  // SavedArray only if the user set it, because its default depends on the backend.
  const defaults = { ...rule.defaults, epsilon: undefined }
  return JSON.parse(
    JSON.stringify({ format, rule: rule.name, ...defaults, ...options, groups: encoded }),
  )
}

function checkNoFunctions({ name }: { readonly name: string }, options: object): void {
  for (const [option, value] of Object.entries(options)) {
    if (isPlainObject(value) && value.kind === 'lambda') {
      throw new TypeError(
        `${name}: a ${option} that is a function cannot be saved with a model; a table can: piecewise([[0, 0.1], …])`,
      )
    }
  }
}

/** Decodes the options that `encodeConfig` encoded. */
export function decodeConfig(config: serialization.ConfigDict): object {
  // TensorFlow.js adds `customObjects`.
  const { format: _, rule: __, customObjects: ___, groups = [], ...options } = config
  if (!Array.isArray(groups))
    throw new TypeError(`a configuration's groups must be a list, but are ${groups}`)
  const decoded = groups.map((group) => {
    if (typeof group !== 'object' || group === null || Array.isArray(group)) {
      throw new TypeError(`a group must be an object, but is ${JSON.stringify(group)}`)
    }
    return { ...group, parameters: decodeSelector(group.parameters) }
  })
  return { ...options, groups: decoded }
}

/** @throws TypeError unless a configuration is of this rule, in a known format. */
export function checkConfig(
  { name }: { readonly name: string },
  config: serialization.ConfigDict,
): void {
  if ('rule' in config && config.rule !== name) {
    throw new TypeError(`${name}: the configuration is of ${config.rule}`)
  }
  if ('format' in config && config.format !== format) {
    throw new TypeError(
      `${name}: the configuration has format ${config.format}, but only format ${format} is known`,
    )
  }
}

/** Expands a list of names into a pattern; returns any other selector unchanged. */
function expandSelector(selector: Selector): Selector {
  if (!Array.isArray(selector)) return selector
  const names = selector.map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return new RegExp(`^(?:${names.join('|')})$`)
}

function encodeSelector({ name }: { readonly name: string }, selector: Selector): EncodedSelector {
  if (selector === noDecayOnBiasAndNorm.parameters) return 'biasAndNorm'
  const expanded = expandSelector(selector)
  if (!(expanded instanceof RegExp)) {
    throw new TypeError(
      `${name}: a group that is selected by a function cannot be saved; select it by a RegExp or names`,
    )
  }
  // Escaped, because TensorFlow.js converts strings with underscores to camel case.
  return { pattern: expanded.source.replaceAll('_', '\\u005f'), flags: expanded.flags }
}

function decodeSelector(encoded: unknown): Selector {
  if (encoded === 'biasAndNorm') return noDecayOnBiasAndNorm.parameters
  if (typeof encoded === 'object' && encoded !== null && 'pattern' in encoded) {
    const flags = 'flags' in encoded ? String(encoded.flags) : ''
    return new RegExp(String(encoded.pattern), flags)
  }
  throw new TypeError(`a group cannot be selected by ${JSON.stringify(encoded)}`)
}

// Weights: `getWeights` and `setWeights`.

/** Tensors with names, as TensorFlow.js saves an optimizer's weights. */
export type NamedTensors = Awaited<ReturnType<Optimizer['getWeights']>>

/** A state dict whose arrays are tensors. */
export type TensorState = StateDict<Tensor>

/** A state dict without its tensors, which are saved beside it as `<parameter>/<array>`. */
interface StateIndex extends Omit<TensorState, 'parameters'> {
  /** The options that occur, each once. */
  readonly options: readonly ParameterState['options'][]
  /** `options` is a position in the list of options. */
  readonly parameters: readonly (readonly [
    name: string,
    step: number,
    options: number,
    slots: readonly string[],
    scalars?: ParameterState['scalars'] | null,
    rule?: ParameterState['rule'],
  ])[]
}

function indexOf({ parameters, ...position }: TensorState): StateIndex {
  const options = new Map<string, number>()
  const entries = Object.entries(parameters).map(([name, parameter]) => {
    const key = JSON.stringify(parameter.options)
    const at = options.get(key) ?? options.size
    options.set(key, at)
    const entry = [name, parameter.step, at, Object.keys(parameter.state)] as const
    const { scalars = null, rule } = parameter
    if (rule !== undefined) return [...entry, scalars, rule] as const
    return scalars ? ([...entry, scalars] as const) : entry
  })
  const distinct = [...options.keys()].map((key) => JSON.parse(key))
  return { ...position, options: distinct, parameters: entries }
}

/**
 * Packs text into integers: UTF-8, padded with spaces. TensorFlow.js saves integers with four bytes, and
 * with a tensor of strings, `tf.memory()` would report itself as unreliable.
 */
function packText(text: string): Int32Array {
  const utf8 = new TextEncoder().encode(text)
  const bytes = new Uint8Array(Math.ceil(utf8.length / 4) * 4).fill(32)
  bytes.set(utf8)
  return new Int32Array(bytes.buffer)
}

const unpackText = (packed: ArrayLike<number>): string =>
  new TextDecoder().decode(Int32Array.from(packed).buffer)

/**
 * The first two tensors of saved weights: the number of iterations, and an index of the state. They
 * belong to the optimizer and are allocated early, so that saving does not change the number of tensors.
 */
export class WeightsHeader {
  #tensors: readonly Tensor[] = []

  /** Allocates both tensors, unless they exist. */
  allocate(): void {
    if (this.#tensors.length === 0) this.#replace(0, '{}')
  }

  /** Encodes the index of a state as JSON. */
  write(iterations: number, stateDict: TensorState): NamedTensors {
    this.#replace(iterations, JSON.stringify(indexOf(stateDict)))
    const [iter, state] = this.#tensors
    return [
      { name: 'iter', tensor: iter },
      { name: 'state', tensor: state },
    ]
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose()
    this.#tensors = []
  }

  #replace(iterations: number, index: string): void {
    this.dispose()
    const state = tensor1d(packText(index), 'int32')
    this.#tensors = [keep(scalar(iterations, 'int32')), keep(state)]
  }
}

/** The arrays of a state by the names under which they are saved, in the order of the parameters. */
export const namedStateTensors = (
  { parameters }: TensorState,
  tensorOf: (parameter: string, slot: string) => Tensor,
): NamedTensors =>
  Object.entries(parameters).flatMap(([name, state]) =>
    Object.keys(state.state).map((slot) => {
      return { name: `${name}/${slot}`, tensor: tensorOf(name, slot) }
    }),
  )

/**
 * Reads weights into a state dict, whose tensors are those of `weights`.
 *
 * @param owner - the name of the rule, for error messages.
 * @throws TypeError if they are another optimizer's.
 */
export async function readWeights(
  owner: string,
  weights: NamedTensors,
): Promise<{ readonly iterations: number; readonly state: TensorState }> {
  const [iter, header, ...arrays] = weights
  const refuse = (reason: string): never => {
    throw new TypeError(`${owner}: the weights are of another optimizer: ${reason}`)
  }
  if (iter?.name !== 'iter') return refuse(`the first is ${iter?.name}, not iter`)
  if (header?.name !== 'state') return refuse(`the second is ${header?.name}, not state`)
  const [[iterations], packed] = await Promise.all([iter.tensor.data(), header.tensor.data()])
  const { options, parameters, ...position }: StateIndex = JSON.parse(unpackText(packed))
  const tensors = new Map(arrays.map(({ name, tensor }) => [name, tensor]))
  const entries = parameters.map(([name, step, at, slots, scalars, rule]) => {
    const found = slots.map((slot) => {
      const path = `${name}/${slot}`
      return [slot, tensors.get(path) ?? refuse(`there is no ${path}`)]
    })
    const state = Object.fromEntries(found)
    const optional = { ...(rule !== undefined && { rule }), ...(scalars && { scalars }) }
    return [name, { step, ...optional, options: options[at], state }]
  })
  return { iterations, state: { ...position, parameters: Object.fromEntries(entries) } }
}
