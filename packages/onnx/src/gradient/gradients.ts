import type { Operation } from '../ir/operation.ts'
import { sizes, type Value } from '../ir/value.ts'
import { add, filled } from '../ops/operations.ts'
import * as rules from './operators/index.ts'
import type { Rule } from './rule.ts'

const ruleOf = new Map<string, Rule>(Object.entries(rules))

/** The operators that may pass a gradient on from any output; all others, from their first alone. */
const manyOutputs: ReadonlySet<string> = new Set(['Split'])

/**
 * Reverse-mode differentiation: appends to the graph of a scalar what computes its gradients.
 * @returns The gradient of every value in `sources` that the scalar depends on.
 * @throws {OnnxError} When an operator on the way has no rule; the message tells what freezing would help.
 */
export function gradients(scalar: Value, sources: readonly Value[]): ReadonlyMap<Value, Value> {
  const { graph } = scalar
  const forward = [...graph.operations]
  const dependent = dependents(forward, sources)
  const gradientOf = new Map<Value, Value>([[scalar, graph.scalar(1)]])
  for (const operation of forward.toReversed()) {
    if (!operation.inputs.some((input) => input && dependent.has(input))) continue
    const outputs = operation.outputs.map((output) => output && gradientOf.get(output))
    if (outputs.every((output) => output === undefined)) continue
    const inputs = pullBack(operation, outputs, sources)
    for (const [i, input] of operation.inputs.entries()) {
      const gradient = inputs[i]
      if (!input || !gradient || !dependent.has(input)) continue
      const sum = gradientOf.get(input)
      gradientOf.set(input, sum ? add(sum, gradient) : gradient)
    }
  }
  return new Map(
    sources.flatMap((source) => {
      const gradient = gradientOf.get(source)
      return gradient ? [[source, gradient] as const] : []
    }),
  )
}

/** All values that change smoothly with the sources. */
function dependents(
  operations: readonly Operation[],
  sources: readonly Value[],
): ReadonlySet<Value> {
  const dependent = new Set(sources)
  for (const { inputs, outputs } of operations)
    if (inputs.some((input) => input && dependent.has(input)))
      for (const output of outputs) if (output && isReal(output)) dependent.add(output)
  return dependent
}

const isReal = ({ type }: Value): boolean => type === 'float32' || type === 'float64'

function pullBack(
  operation: Operation,
  gradients: readonly (Value | undefined)[],
  sources: readonly Value[],
): readonly (Value | undefined)[] {
  const rule = operation.domain === '' ? ruleOf.get(operation.operator) : undefined
  if (rule === undefined)
    throw operation.error(`the operator has no gradient rule; ${advice(operation, sources)}`)
  const wide = operation.outputs.find((output) => output?.type === 'float64')
  if (wide) throw operation.error(`must compute in float32 to be differentiated, but gives float64`)
  const used = gradients.findLastIndex((gradient) => gradient !== undefined)
  if (used > 0 && !manyOutputs.has(operation.operator))
    throw operation.error(`output ${used} cannot be differentiated, only the first can`)
  const [dy, ...more] = gradients.map(
    (gradient, i) => gradient ?? filled(operation.graph, sizes(operation.output(i))),
  )
  return dy ? rule(operation, dy, ...more) : []
}

/** Which sources an operation stands in the way of. */
function advice(operation: Operation, sources: readonly Value[]): string {
  const blocked = sources.filter((source) =>
    dependents([...operation.graph.operations], [source]).has(operation.output()),
  )
  const names = blocked.slice(0, 4).map(({ name }) => `"${name}"`)
  if (blocked.length > names.length) names.push(`${blocked.length - names.length} more`)
  return blocked.length < sources.length
    ? `freezing ${names.join(', ')} would help`
    : 'freezing would not help, as every parameter acts through it'
}
