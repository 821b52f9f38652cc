import { allNodes } from './branches.ts'
import { OnnxError, qualifiedOperator } from './error.ts'
import { isFloat32, type Model, type Node, type OpaqueTensor, type Tensor } from './model.ts'
import { isOperator } from './node.ts'
import { type SpectralNorm, spectralNorms } from './spectral-norms.ts'

/** The initializers of a model by what training does to them. Every initializer is in one map. */
export interface InitializerRoles {
  /** Trainable parameters: float32 tensors with at least one axis that no selector freezes. */
  readonly parameters: ReadonlyMap<string, Tensor<'float32'>>
  /** Running means and variances, and vectors of spectral norms: training updates them without a gradient. */
  readonly statistics: ReadonlyMap<string, Tensor<'float32'>>
  /** Parameters that a selector matches, and the statistics of their normalizations. */
  readonly frozen: ReadonlyMap<string, Tensor<'float32'>>
  /** The rest: scalars, other types, and the inputs in `untrainableInputs`. */
  readonly constants: ReadonlyMap<string, Tensor | OpaqueTensor>
}

/** The inputs of operators that no gradient flows into: bounds, amounts, fill values, scales of integers. */
const untrainableInputs: ReadonlyMap<string, readonly number[]> = new Map([
  ['Clip', [1, 2]],
  ['DequantizeLinear', [1]],
  ['Dropout', [1]],
  ['OneHot', [2]],
  ['Pad', [2]],
  ['QuantizeLinear', [1]],
  ['Resize', [1, 2]],
  ['com.microsoft.DequantizeLinear', [1]],
  ['com.microsoft.DynamicQuantizeMatMul', [2, 4]],
  ['com.microsoft.GatherBlockQuantized', [2]],
  ['com.microsoft.MatMulIntegerToFloat', [2, 3, 6]],
  ['com.microsoft.MatMulNBits', [2, 5]],
  ['com.microsoft.QuantizeLinear', [1]],
  ['com.microsoft.RotaryEmbedding', [2, 3]],
])

/**
 * Classifies the initializers of a model: trainable parameters, running statistics, frozen tensors and
 * constants.
 *
 * ONNX does not tell a buffer of PyTorch's from a parameter: a float32 table of rotary angles or a mask
 * counts as a parameter and would be trained, so freeze it by name. Only running means and variances of
 * BatchNormalization, bounds, amounts, fill values and scales of integers are recognized by their use.
 *
 * @param frozen - patterns of parameter names to keep fixed. Their `lastIndex` has no effect.
 * @throws {OnnxError} If a pattern matches no parameter.
 */
export function initializerRoles(model: Model, frozen: readonly RegExp[] = []): InitializerRoles {
  return rolesOf(model, frozenOf(model, frozen))
}

/** All patterns of frozen parameters: of a model with adapters, all but what is trained with them. */
export function frozenOf({ lora }: Model, frozen: readonly RegExp[]): readonly RegExp[] {
  if (!lora) return frozen
  return [...frozen, exceptNames(lora.trained)]
}

/** A pattern of these names only. */
export const onlyNames = (names: Iterable<string>): RegExp =>
  new RegExp(`^(?:${alternatives(names)})$`)

/** A pattern of all names but these. */
export const exceptNames = (names: Iterable<string>): RegExp =>
  new RegExp(`^(?!(?:${alternatives(names)})$)`)

const alternatives = (names: Iterable<string>): string =>
  [...names].map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')

function rolesOf(model: Model, frozen: readonly RegExp[]): InitializerRoles {
  const parameters = new Map<string, Tensor<'float32'>>()
  const statistics = new Map<string, Tensor<'float32'>>()
  const fixed = new Map<string, Tensor<'float32'>>()
  const constants = new Map<string, Tensor | OpaqueTensor>()
  const updated = new Set<string>()
  const fixedStatistics = new Set<string>()
  const nodes = allNodes(model.nodes)
  for (const node of nodes)
    for (const name of runningStatistics(node))
      (isFrozenNormalization(node, frozen) ? fixedStatistics : updated).add(name)
  for (const { weight, u, v } of spectralNorms(model).values())
    for (const name of [u, v]) (isFrozen(weight, frozen) ? fixedStatistics : updated).add(name)
  const untrainable = new Set(
    nodes.flatMap((node) =>
      (untrainableInputs.get(qualifiedOperator(node)) ?? []).map((i) => node.inputs[i] ?? ''),
    ),
  )
  for (const [name, tensor] of model.initializers) {
    if (!isFloat32(tensor)) constants.set(name, tensor)
    else if (updated.has(name)) statistics.set(name, tensor)
    else if (fixedStatistics.has(name)) fixed.set(name, tensor)
    else if (tensor.shape.length === 0 || untrainable.has(name)) constants.set(name, tensor)
    else (isFrozen(name, frozen) ? fixed : parameters).set(name, tensor)
  }
  const trainable = [...parameters.keys(), ...fixed.keys()].filter(
    (name) => !fixedStatistics.has(name),
  )
  const useless = frozen.find((pattern) => trainable.every((name) => name.search(pattern) < 0))
  if (useless)
    throw new OnnxError(
      `frozen: ${useless} must match a parameter, but matches none of ${trainable.join(', ')}`,
    )
  return { parameters, statistics, frozen: fixed, constants }
}

/**
 * Parameters that several nodes read and whose elements are all equal, with the number of their readers.
 * PyTorch's export in evaluation mode stores equal tensors once, so that weights that began as zeros or
 * ones, such as biases, are trained as one.
 */
export function tiedParameters(
  model: Model,
  frozen: readonly RegExp[] = [],
): ReadonlyMap<string, number> {
  const inputs = allNodes(model.nodes).flatMap((node) => [...new Set(node.inputs)])
  const tied = new Map<string, number>()
  for (const [name, { data }] of initializerRoles(model, frozen).parameters) {
    const readers = inputs.filter((input) => input === name).length
    if (readers > 1 && data.length > 1 && data.every((x) => x === data[0])) tied.set(name, readers)
  }
  return tied
}

/** Says, for an error, which parameters a model has, or why it has none. */
export function describeRoles(model: Model, frozen: readonly RegExp[] = []): string {
  const { parameters, statistics, frozen: fixed, constants } = initializerRoles(model, frozen)
  const names = [...parameters.keys()].slice(0, 4).map((name) => `"${name}"`)
  if (names.length > 0)
    return `depends on none of its ${parameters.size}: ${names.join(', ')}${parameters.size > names.length ? ' …' : ''}`
  const reasons = [...constants.values()].map((tensor) => {
    if (tensor.type === 'opaque') return 'of an unsupported type'
    if (tensor.type !== 'float32') return `of ${tensor.type}`
    return tensor.shape.length === 0 ? 'scalar' : 'no weight but a bound, amount or fill value'
  })
  const counts = [...new Set(reasons)].map(
    (reason) => [reason, reasons.filter((other) => other === reason).length] as const,
  )
  const found = [
    ...counts,
    ['frozen', fixed.size] as const,
    ['statistic', statistics.size] as const,
  ]
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${reason}`)
  const weights = `of its ${model.initializers.size} initializers none is a float32 tensor with an axis that training may change`
  return `the model has none: ${weights}${found.length > 0 ? ` (${found.join(', ')})` : ''}`
}

/** The names of the running mean and variance that a BatchNormalization reads. */
const runningStatistics = (node: Node): readonly string[] =>
  isOperator(node, 'BatchNormalization') ? node.inputs.slice(3, 5) : []

/** Whether a BatchNormalization keeps its running statistics in training: if its scale is frozen. */
export const isFrozenNormalization = ({ inputs }: Node, frozen: readonly RegExp[]): boolean =>
  isFrozen(inputs[1] ?? '', frozen)

/** The spectral norms that training updates, by the nodes of σ: all but those of frozen weights. */
export const trainedSpectralNorms = (
  model: Pick<Model, 'nodes' | 'initializers'>,
  frozen: readonly RegExp[],
): ReadonlyMap<Node, SpectralNorm> =>
  new Map([...spectralNorms(model)].filter(([, { weight }]) => !isFrozen(weight, frozen)))

/** Ignores `lastIndex`, which a pattern with the flag `g` or `y` carries from one test to the next. */
const isFrozen = (name: string, frozen: readonly RegExp[]): boolean =>
  frozen.some((pattern) => name.search(pattern) >= 0)
