import type { Operation, Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { optimizedAdvice, qualifiedOperator } from '../model/error.ts'
import { add, filled } from '../ops/builders.ts'
import type { OperatorRewrite } from '../rewrites/import.ts'
import { decompositions } from './decompositions.ts'
import * as activation from './rules/activation.ts'
import * as convolution from './rules/convolution.ts'
import * as elementwise from './rules/elementwise.ts'
import type { GradientRule } from './rules/gradient-rule.ts'
import * as matrix from './rules/matrix.ts'
import * as normalization from './rules/normalization.ts'
import * as reduction from './rules/reduction.ts'
import * as resize from './rules/resize.ts'
import * as selection from './rules/selection.ts'
import * as shape from './rules/shape.ts'

/** The gradient rule of every differentiable standard operator, by its name. */
export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
  [
    activation,
    convolution,
    elementwise,
    matrix,
    normalization,
    reduction,
    resize,
    selection,
    shape,
  ].flatMap((family: Readonly<Record<string, GradientRule>>) => Object.entries(family)),
)

/** Why operators on floating-point values have no gradient rule. */
export const undifferentiable: ReadonlyMap<string, string> = new Map([
  ['Bernoulli', 'its output is drawn at random'],
  ['Range', 'the length of its output depends on its input'],
  ...[
    ...['DequantizeLinear', 'DynamicQuantizeLinear', 'QuantizeLinear'],
    ...['com.microsoft.DequantizeLinear', 'com.microsoft.MatMulNBits'],
    ...['com.microsoft.DynamicQuantizeMatMul', 'com.microsoft.GatherBlockQuantized'],
    ...['com.microsoft.MatMulIntegerToFloat', 'com.microsoft.QuantizeLinear'],
  ].map((name) => [name, 'quantized values stay as they are'] as const),
])

/** Operators with gradients from every output. All others have one from the first output only. */
const multiOutputOperators: ReadonlySet<string> = new Set(['Split'])

/**
 * Reverse-mode differentiation: appends the gradients of a scalar to its graph.
 *
 * @param ownRules - rules that come before those of this package, by the operator's name with its domain.
 * @returns The gradient of every value in `variables` that the scalar depends on.
 * @throws {OnnxError} If an operator between them has no gradient rule. The message names the variables
 *   to freeze.
 */
export function gradients(
  scalar: Value,
  variables: readonly Value[],
  ownRules: ReadonlyMap<string, GradientRule> = new Map(),
): ReadonlyMap<Value, Value> {
  const { graph } = scalar
  const seeds = new Map([[scalar, graph.scalar(1)]])
  return backpropagate([...graph.operations], seeds, variables, ownRules)
}

/**
 * The gradients of `variables` through some operations, in topological order, from the gradients of
 * their outputs in `seeds`.
 */
function backpropagate(
  operations: readonly Operation[],
  seeds: ReadonlyMap<Value, Value>,
  variables: readonly Value[],
  ownRules: ReadonlyMap<string, GradientRule>,
): ReadonlyMap<Value, Value> {
  const dependent = dependents(operations, variables)
  const gradientOf = new Map(seeds)
  for (const operation of operations.toReversed()) {
    if (!operation.inputs.some((input) => input && dependent.has(input))) continue
    const outputs = operation.outputs.map((output) => output && gradientOf.get(output))
    if (outputs.every((output) => output === undefined)) continue
    const inputs = applyRule(operation, outputs, variables, ownRules)
    for (const [i, input] of operation.inputs.entries()) {
      const gradient = inputs[i]
      if (!input || !gradient || !dependent.has(input)) continue
      const sum = gradientOf.get(input)
      gradientOf.set(input, sum ? add(sum, gradient) : gradient)
    }
  }
  return new Map(
    variables.flatMap((variable) => {
      const gradient = gradientOf.get(variable)
      return gradient ? [[variable, gradient] as const] : []
    }),
  )
}

/** All floating-point values that depend on the variables, but through no value that stops gradients. */
function dependents(
  operations: readonly Operation[],
  variables: readonly Value[],
): ReadonlySet<Value> {
  const dependent = new Set(variables)
  for (const { inputs, outputs } of operations)
    if (inputs.some((input) => input && dependent.has(input)))
      for (const output of outputs)
        if (output && isReal(output) && !output.graph.stopsGradient(output)) dependent.add(output)
  return dependent
}

const isReal = ({ type }: Value): boolean => type === 'float32' || type === 'float64'

/** Returns the gradients of an operation's inputs, from those of its outputs. */
function applyRule(
  operation: Operation,
  gradients: readonly (Value | undefined)[],
  variables: readonly Value[],
  ownRules: ReadonlyMap<string, GradientRule>,
): readonly (Value | undefined)[] {
  const name = qualifiedOperator(operation)
  const ownRule = ownRules.get(name)
  const used = gradients.findLastIndex((gradient) => gradient !== undefined)
  const decompose = used > 0 || !gradientRules.has(name) ? decompositions.get(name) : undefined
  const rule = ownRule ?? gradientRules.get(name)
  if (rule === undefined && decompose === undefined) {
    const reason = undifferentiable.get(name)
    throw operation.error(
      `the operator has no gradient rule${reason ? `, as ${reason}` : ''}; ${advice(operation, variables)}${reason ? '' : optimizedAdvice(operation)}`,
    )
  }
  const wide = operation.outputs.find((output) => output?.type === 'float64')
  if (wide) throw operation.error(`must compute in float32 to be differentiated, but gives float64`)
  if (decompose && !ownRule) return throughDecomposition(operation, decompose, gradients, ownRules)
  if (used > 0 && !ownRule && !multiOutputOperators.has(operation.operator))
    throw operation.error(`output ${used} cannot be differentiated, only the first can`)
  const [dy, ...more] = gradients.map(
    (gradient, i) => gradient ?? filled(operation.graph, staticShape(operation.output(i))),
  )
  return dy && rule ? rule(operation, dy, ...more) : []
}

/** The gradients of an operation's inputs, through another form of it that is appended for them. */
function throughDecomposition(
  operation: Operation,
  decompose: OperatorRewrite,
  gradients: readonly (Value | undefined)[],
  ownRules: ReadonlyMap<string, GradientRule>,
): readonly (Value | undefined)[] {
  const { graph } = operation
  const start = graph.operations.length
  const seeds = new Map<Value, Value>()
  for (const [i, output] of decompose(operation).entries()) {
    const gradient = gradients[i]
    if (output && gradient) seeds.set(output, gradient)
  }
  const inputs = operation.inputs.filter((input) => input !== undefined)
  const ofInputs = backpropagate(graph.operations.slice(start), seeds, inputs, ownRules)
  return operation.inputs.map((input, i) =>
    input && operation.inputs.indexOf(input) === i ? ofInputs.get(input) : undefined,
  )
}

/** Names the variables whose gradients pass through an operation without a rule. */
function advice(operation: Operation, variables: readonly Value[]): string {
  const blocked = variables.filter((variable) =>
    dependents([...operation.graph.operations], [variable]).has(operation.output()),
  )
  const names = blocked.slice(0, 4).map(({ name }) => `"${name}"`)
  if (blocked.length > names.length) names.push(`${blocked.length - names.length} more`)
  return blocked.length < variables.length
    ? `freeze ${names.join(', ')} to avoid it`
    : 'freezing cannot avoid it, as every parameter acts through it'
}
