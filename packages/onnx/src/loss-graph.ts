import type { ShapeRule } from './analysis/shapes/shape-rule.ts'
import { gradients } from './autodiff/gradients.ts'
import type { GradientRule } from './autodiff/rules/gradient-rule.ts'
import { Graph, type Value } from './ir/graph.ts'
import { cpuLowering, type Lowering } from './ir/lowering.ts'
import { checkOptions, describeArgument, OnnxError } from './model/error.ts'
import { describeRoles, frozenOf, initializerRoles } from './model/initializer-roles.ts'
import type { Model } from './model/model.ts'
import type { Loss } from './nn/losses.ts'
import {
  type InputSizes,
  importModel,
  type OperatorRewrite,
  rewriteOperators,
} from './rewrites/import.ts'
import { loweringRules } from './rewrites/lowering.ts'
import { type BatchStatistic, evaluateMode, trainMode } from './rewrites/modes.ts'

/** The loss of a forward model, and which of its parameters are trained. */
export interface ModelOptions extends InputSizes {
  readonly loss: Loss
  /**
   * Patterns of names of parameters that are not trained, and of PyTorch's buffers, which ONNX does not
   * tell from parameters. They become constants, so they cost no gradient.
   */
  readonly frozen?: readonly RegExp[]
  /** How operators and gradients are written. Default: the fastest forms on the CPU. */
  readonly lowering?: Partial<Lowering>
  /**
   * Types of all outputs of an operation, by the operator's name with its domain: `com.example.Swish`.
   * Rules of yours come before those of this package.
   */
  readonly shapeRules?: Readonly<Record<string, ShapeRule>>
  /**
   * Other forms of an operator, by its name: from an operation to its outputs, computed from its inputs
   * by operators that the runtime has. An exported model keeps the operator itself.
   */
  readonly rewriteRules?: Readonly<Record<string, OperatorRewrite>>
}

/** How a forward model is differentiated. */
export interface DifferentiateOptions extends ModelOptions {
  /**
   * `train` normalizes by batch statistics and drops; `evaluate` normalizes by running statistics and
   * does not drop. Default `train`.
   */
  readonly mode?: 'train' | 'evaluate'
  /**
   * The seed of Dropout in training: equal runs drop equal elements on every execution provider, also if
   * they are resumed, and count their steps in a running statistic. Without one, the runtime draws them; on
   * WebGPU, which has no Dropout, a random seed does.
   */
  readonly seed?: number
  /**
   * Vector-Jacobian products, by the operator's name: from an operation and the gradients of its outputs
   * to the gradients of its inputs.
   */
  readonly gradientRules?: Readonly<Record<string, GradientRule>>
}

/** A forward model and its loss in one graph. */
export interface LossGraph {
  readonly graph: Graph
  /** A scalar. */
  readonly loss: Value
  readonly outputs: ReadonlyMap<string, Value>
  /** The trainable parameters. */
  readonly parameters: readonly Value[]
  /** The running means and variances, and vectors of spectral norms, that training updates. */
  readonly statistics: readonly Value[]
  /** The next value of each running statistic: empty in evaluation mode. */
  readonly nextStatistics: ReadonlyMap<Value, Value>
  /** The statistics of the batch of which each running statistic is an average. */
  readonly batchStatistics: ReadonlyMap<Value, readonly BatchStatistic[]>
}

/** A forward model, its loss and its gradients in one graph. */
export interface GradientGraph extends LossGraph {
  /** The gradient of every parameter that the loss depends on. */
  readonly gradients: ReadonlyMap<Value, Value>
}

/** The names of the options of a model to differentiate. */
export const modelOptionNames: readonly string[] = [
  ...['loss', 'frozen', 'lowering', 'mode', 'dimensions', 'shapes'],
  ...['seed', 'shapeRules', 'rewriteRules', 'gradientRules'],
]

const forms: Readonly<Record<keyof Lowering, readonly unknown[] | undefined>> = {
  weightGradient: ['im2col', 'slices', 'taps', 'convolution'],
  imageGradient: ['transposed', 'flipped', 'adaptive'],
  productUpTo: undefined,
  channelBlock: undefined,
  operators: ['standard', 'plain'],
}

/** Checks a model and all options, so that each acts or is refused by name. */
function checkArguments(model: Model, options: DifferentiateOptions): void {
  if (!Array.isArray(model?.nodes) || !(model.initializers instanceof Map))
    throw new OnnxError(
      `model: must be a model, as readModel and buildModel return, but is ${describeArgument(model)}`,
    )
  checkOptions('model options', options, modelOptionNames)
  const { loss, frozen = [], lowering = {}, mode = 'train', dimensions = {}, shapes = {} } = options
  if (typeof loss !== 'function')
    throw new OnnxError(
      `model options: loss must be a function, such as crossEntropy(), but is ${describeArgument(loss)}`,
    )
  if (!Array.isArray(frozen) || !frozen.every((pattern) => pattern instanceof RegExp))
    throw new OnnxError(
      `model options: frozen must be a list of patterns, but is ${describeArgument(frozen)}`,
    )
  oneOf('mode', mode, ['train', 'evaluate'])
  if (options.seed !== undefined && !Number.isSafeInteger(options.seed))
    throw new OnnxError(
      `model options: seed must be an integer, but is ${describeArgument(options.seed)}`,
    )
  checkRules('shapeRules', options.shapeRules ?? {})
  checkRules('rewriteRules', options.rewriteRules ?? {})
  checkOptions('lowering', lowering, Object.keys(forms))
  for (const [name, value] of Object.entries(lowering)) {
    const known = Object.entries(forms).find(([form]) => form === name)?.[1]
    if (value !== undefined && known) oneOf(`lowering.${name}`, value, known)
  }
  for (const name of ['productUpTo', 'channelBlock'] as const) {
    const value = lowering[name] ?? 0
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new OnnxError(
        `model options: lowering.${name} must be an integer >= 0, but is ${describeArgument(value)}`,
      )
  }
  const values = [...model.inputs, ...model.outputs, ...model.values.values()]
  const symbols = new Set(
    values.flatMap(({ shape = [] }) => shape.filter((size) => typeof size === 'string')),
  )
  checkOptions('dimensions', dimensions, [...symbols])
  checkOptions(
    'shapes',
    shapes,
    model.inputs.map(({ name }) => name),
  )
  for (const [name, shape] of Object.entries(shapes))
    if (!Array.isArray(shape))
      throw new OnnxError(
        `model options: the shape of "${name}" must be a list, but is ${describeArgument(shape)}`,
      )
}

/** Rules for operators that a model lacks are valid: another model may have them. */
function checkRules(option: string, rules: unknown): void {
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
    throw new OnnxError(
      `model options: ${option} must be functions by operator, but is ${describeArgument(rules)}`,
    )
  for (const [name, rule] of Object.entries(rules))
    if (typeof rule !== 'function')
      throw new OnnxError(
        `model options: ${option}["${name}"] must be a function, but is ${describeArgument(rule)}`,
      )
}

function oneOf(name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return
  const all = known.map((one) => JSON.stringify(one)).join(', ')
  throw new OnnxError(
    `model options: ${name} must be one of ${all}, but is ${describeArgument(value)}`,
  )
}

/** Imports a model and its loss into one graph. */
export function lossGraph(
  model: Model,
  mode: 'train' | 'evaluate',
  options: ModelOptions & Pick<DifferentiateOptions, 'seed'>,
): LossGraph {
  checkArguments(model, { ...options, mode })
  const { loss, ...rest } = options
  const forward = forwardGraph(model, mode, rest)
  return { ...forward, loss: loss(forward.outputs) }
}

/** Imports a model into a graph. Its options are checked. */
export function forwardGraph(
  model: Model,
  mode: 'train' | 'evaluate',
  options: Omit<ModelOptions, 'loss'> & Pick<DifferentiateOptions, 'seed'>,
): Omit<LossGraph, 'loss'> {
  const { frozen = [], lowering, dimensions, shapes, shapeRules = {}, rewriteRules = {} } = options
  const sizes = { ...(dimensions && { dimensions }), ...(shapes && { shapes }) }
  const graph = new Graph(
    { ...cpuLowering, ...lowering },
    'separate',
    new Map(Object.entries(shapeRules)),
  )
  const roles = initializerRoles(model, frozen)
  const { rules, nextStatistics, batchStatistics } =
    mode === 'train' ? trainMode(model, frozenOf(model, frozen), options.seed) : evaluateMode()
  const ownRule = rewriteOperators(new Map(Object.entries(rewriteRules)))
  const values = importModel(graph, model, {
    ...sizes,
    isParameter: (name) => roles.parameters.has(name) || roles.statistics.has(name),
    rules: [ownRule, ...rules, ...loweringRules],
  })
  const outputs = new Map(
    model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value] as const] : []
    }),
  )
  const valuesOf = (names: Iterable<string>): readonly Value[] =>
    [...names].flatMap((name) => values.get(name) ?? [])
  return {
    graph,
    outputs,
    parameters: valuesOf(roles.parameters.keys()),
    statistics: valuesOf(roles.statistics.keys()),
    nextStatistics,
    batchStatistics,
  }
}

/**
 * Imports a model, its loss and the gradients of its parameters into one graph.
 *
 * @throws {OnnxError} If an operator cannot be differentiated, or the loss depends on no parameter.
 */
export function differentiate(model: Model, options: DifferentiateOptions): GradientGraph {
  checkOptions('model options', options, modelOptionNames)
  const { mode = 'train', gradientRules = {}, ...rest } = options
  checkRules('gradientRules', gradientRules)
  const forward = lossGraph(model, mode, rest)
  const ownRules = new Map(Object.entries(gradientRules))
  const all = gradients(forward.loss, forward.parameters, ownRules)
  if (all.size === 0)
    throw new OnnxError(
      `model: the loss must depend on a parameter, but ${describeRoles(model, rest.frozen)}`,
    )
  return { ...forward, gradients: all }
}
