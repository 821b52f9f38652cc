import type { Hyperparameters } from '@diffgrad/core'
import { elementCount, type Model, type Node, type ValueInfo, writeModel } from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'
import { messageOf, type Runtime, type SessionOptions, type Tensors } from './runtime.ts'
import type { Update } from './update/update.ts'

/** ONNX Runtime's message about a node that a provider accepted and then failed to run. */
const failedNode =
  /running (?<operator>\w+) node\. Name:'(?<node>[^']*)' Status Message: (?<reason>.*)/

/**
 * Runs one step on zeros and discards its results. A provider may accept a node that it cannot run;
 * this finds such nodes before training starts.
 *
 * @throws {TrainerError} Naming the operator, its node and the providers.
 */
export async function warmUp<H extends Hyperparameters>(
  runtime: Runtime,
  update: Update<H>,
  providers: readonly string[],
): Promise<void> {
  const discard = new Error('warm-up: discards the step')
  try {
    await update.step({
      feeds: zeroFeeds(runtime, update),
      histogramEdges: undefined,
      checkLoss() {},
      computeMetrics: () => Promise.reject(discard),
    })
  } catch (cause) {
    if (cause === discard) return
    const message = messageOf(cause)
    const { operator, node, reason } = message.match(failedNode)?.groups ?? {}
    const complaint = operator
      ? `cannot run ${operator}, which "${node}" needs: ${reason}`
      : message
    throw new TrainerError(`provider ${providers.join(', ')}: ${complaint}`, { cause })
  }
}

function zeroFeeds<H extends Hyperparameters>(
  { Tensor }: Runtime,
  { model, shapes }: Update<H>,
): Tensors {
  const inputs = model.inputs.filter(({ name }) => !Object.hasOwn(shapes, name))
  return Object.fromEntries(
    inputs.map(({ name, type = 'float32', shape = [] }) => {
      // A gradient model has no symbolic dimensions.
      const dims = shape.map(Number)
      return [name, new Tensor(type, new Array<number>(elementCount(dims)).fill(0), dims)]
    }),
  )
}

/**
 * The operators of some models that none of a session's providers has, so that the CPU runs them. Creates
 * a session without CPU fallback for one node of each operator, input types and attributes.
 */
export async function cpuFallbacks(
  { InferenceSession }: Runtime,
  models: readonly Model[],
  options: SessionOptions,
): Promise<readonly string[]> {
  const withoutFallback: SessionOptions = {
    executionProviders: options.executionProviders ?? [],
    logSeverityLevel: 4,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  }
  const tried = new Set<string>()
  const found = new Set<string>()
  for (const model of models) {
    const values = valuesOf(model)
    for (const node of model.nodes) {
      const types = node.inputs.map((name) => {
        const { type, shape = [] } = values.get(name) ?? {}
        return `${type}${shape.length}`
      })
      const signature = JSON.stringify([node.domain, node.operator, ...types, ...node.attributes])
      if (tried.has(signature) || found.has(node.operator)) continue
      tried.add(signature)
      try {
        const bytes = writeModel(singleNodeModel(node, model, values))
        const session = await InferenceSession.create(bytes, withoutFallback)
        await session.release()
      } catch {
        found.add(node.operator)
      }
    }
  }
  return [...found].toSorted()
}

/** Types and shapes of all values of a model, by name. */
function valuesOf(model: Model): ReadonlyMap<string, ValueInfo> {
  const weights = [...model.initializers].flatMap(([name, tensor]) =>
    tensor.type === 'opaque' ? [] : [{ name, type: tensor.type, shape: tensor.shape }],
  )
  const all = [...model.inputs, ...weights, ...model.values.values(), ...model.outputs]
  return new Map(all.map((value) => [value.name, value]))
}

/** A model of one node, whose inputs are its initializers and, for all else, inputs of the model. */
function singleNodeModel(node: Node, model: Model, values: ReadonlyMap<string, ValueInfo>): Model {
  const infos = (names: readonly string[]): readonly ValueInfo[] =>
    [...new Set(names)].flatMap((name) => values.get(name) ?? [])
  const { initializers } = model
  return {
    ...model,
    inputs: infos(node.inputs.filter((name) => !initializers.has(name))),
    outputs: infos(node.outputs),
    nodes: [node],
    initializers: new Map([...initializers].filter(([name]) => node.inputs.includes(name))),
    values: new Map(),
  }
}
