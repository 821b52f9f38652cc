import { type Model, type Node, type ValueInfo, writeModel } from '@diffgrad/onnx'
import type { Runtime, SessionOptions } from '../runtime.ts'

/**
 * The operators of a model that the CPU runs because none of a session's providers has them. Every
 * form in which one occurs is tried alone, in a session that may not fall back.
 */
export async function fallbacksOf(
  { InferenceSession }: Runtime,
  model: Model,
  options: SessionOptions,
): Promise<readonly string[]> {
  const strict: SessionOptions = {
    executionProviders: options.executionProviders ?? [],
    logSeverityLevel: 4,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  }
  const known = valuesOf(model)
  const tried = new Set<string>()
  const found = new Set<string>()
  for (const node of model.nodes) {
    const types = node.inputs.map((name) => {
      const { type, shape = [] } = known.get(name) ?? {}
      return `${type}${shape.length}`
    })
    const form = JSON.stringify([node.domain, node.operator, ...types, ...node.attributes])
    if (tried.has(form) || found.has(node.operator)) continue
    tried.add(form)
    try {
      const session = await InferenceSession.create(writeModel(alone(node, model, known)), strict)
      await session.release()
    } catch {
      found.add(node.operator)
    }
  }
  return [...found].toSorted()
}

function valuesOf(model: Model): ReadonlyMap<string, ValueInfo> {
  const weights = [...model.initializers].flatMap(([name, tensor]) =>
    tensor.type === 'opaque' ? [] : [{ name, type: tensor.type, shape: tensor.shape }],
  )
  const all = [...model.inputs, ...weights, ...model.values.values(), ...model.outputs]
  return new Map(all.map((value) => [value.name, value]))
}

/** A model of one node. What it reads that is not a constant is its input. */
function alone(node: Node, model: Model, known: ReadonlyMap<string, ValueInfo>): Model {
  const named = (names: readonly string[]): readonly ValueInfo[] =>
    [...new Set(names)].flatMap((name) => known.get(name) ?? [])
  const { initializers } = model
  return {
    ...model,
    inputs: named(node.inputs.filter((name) => !initializers.has(name))),
    outputs: named(node.outputs),
    nodes: [node],
    initializers: new Map([...initializers].filter(([name]) => node.inputs.includes(name))),
    values: new Map(),
  }
}
