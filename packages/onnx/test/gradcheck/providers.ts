import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Graph, type Value } from '../../src/ir/graph.ts'
import { toModel } from '../../src/ir/to-model.ts'
import { differentiate } from '../../src/loss-graph.ts'
import { writeModel } from '../../src/model/write.ts'
import { ones, seeded } from '../../src/nn/initializers.ts'
import { buildModel, type Layer, sequential } from '../../src/nn/layer.ts'
import { batchNorm, conv, globalAveragePool, linear, maxPool, relu } from '../../src/nn/layers.ts'
import { crossEntropy } from '../../src/nn/losses.ts'
import { xResNet18 } from '../../src/nn/xresnet.ts'
import { applyOperator } from '../../src/ops/apply.ts'
import { loweringRules } from '../../src/rewrites/lowering.ts'
import { trainMode } from '../../src/rewrites/modes.ts'
import { float, floats, integers } from '../session.ts'
import { type Case, prepare, relativeError } from './check.ts'

/** The worst relative error of an execution provider's gradients of a case, compared with the CPU. */
export async function caseError(one: Case, seed: number, provider: string): Promise<number> {
  const expected = await prepare(one, seed)
  const checked = await prepare(withPlainOperators(one), seed, provider)
  const names = checked.session.outputNames
  const right = await expected.run(expected.data, names)
  const found = await checked.run(checked.data, names)
  await expected.session.release()
  await checked.session.release()
  return Math.max(...names.map((name) => relativeError(floats(found, name), floats(right, name))))
}

/** The case after the rewrite rules for providers that lack operators. */
const withPlainOperators = (one: Case): Case => ({
  ...one,
  lowering: { ...one.lowering, operators: 'plain' },
  build(...x) {
    const [{ graph }] = x
    const inner = new Graph(graph.lowering)
    const y = one.build(...x.map(({ name, type, shape }) => inner.input(name, type, shape)))
    const { nodes, initializers } = toModel({ name: 'case', outputs: new Map([['y', y]]) })
    const values = new Map<string, Value | undefined>(x.map((value) => [value.name, value]))
    for (const [name, tensor] of initializers)
      if (tensor.type !== 'opaque') values.set(name, graph.initializer(name, tensor))
    for (const node of nodes) {
      const inputs = node.inputs.map((name) => values.get(name))
      const { operator, domain, attributes, outputs } = node
      const options = { domain, attributes, outputs: outputs.map((name) => graph.freshName(name)) }
      const rules = attributes.get('training_mode')
        ? trainMode({ nodes: [], initializers: new Map() }, []).rules
        : loweringRules
      const rewritten =
        rules.map((rule) => rule(graph, node, inputs)).find((outputs) => outputs) ??
        applyOperator(graph, operator, inputs, options).outputs
      for (const [i, name] of outputs.entries()) values.set(name, rewritten[i])
    }
    const result = values.get('y')
    if (!result) throw new TypeError('a case must have a result')
    return result
  },
})

const [batch, size] = [8, 32]

/** A network whose gradients are compared with the CPU. */
export interface NetworkCase {
  readonly about: string
  readonly network: Layer
}

/** Networks with max pooling, batch normalization and residuals, in the sizes that are trained. */
export const networks: readonly NetworkCase[] = [
  {
    about: 'small CNN',
    network: sequential(
      ...[16, 32].map((channels) => sequential(conv(channels), batchNorm(), relu, maxPool(2))),
      globalAveragePool,
      linear(10),
    ),
  },
  // Branches that start at zero would have gradients whose sign is rounding error.
  { about: 'XResNet-18', network: xResNet18(10, { lastScale: ones }) },
]

/** The gradients and activations of a batch. */
interface BatchResult {
  readonly gradients: ReadonlyMap<string, Float32Array>
  readonly activations: readonly Float32Array[]
}

/**
 * The worst relative error of an execution provider's gradients of a network, compared with the CPU. If
 * rounding moves an activation across 0, both gradients are correct and differ: such batches are redrawn.
 */
export async function networkError({ network }: NetworkCase, provider: string): Promise<number> {
  const [expected, checked] = [
    await prepareNetwork(network),
    await prepareNetwork(network, provider),
  ]
  for (let seed = 1; seed <= 20; seed++) {
    const [right, found] = [await expected(seed), await checked(seed)]
    if (!right.activations.every((y, i) => sameSide(y, found.activations[i]))) continue
    const { gradients } = found
    const errors = [...right.gradients].map(([name, g]) =>
      relativeError(gradients.get(name) ?? [], g),
    )
    return Math.max(...errors)
  }
  throw new Error('no batch had its activations on the same sides of 0')
}

const sameSide = (a: Float32Array, b: Float32Array | undefined): boolean =>
  a.every((x, i) => x > 0 === (b?.[i] ?? 0) > 0)

/** Creates a session that computes all gradients and activations of a batch drawn from a seed. */
async function prepareNetwork(
  network: Layer,
  provider?: string,
): Promise<(seed: number) => Promise<BatchResult>> {
  const forward = buildModel(network, { shape: ['batch', 3, size, size], seed: 3 })
  const { graph, gradients } = differentiate(forward, {
    loss: crossEntropy(),
    dimensions: { batch },
    ...(provider ? { lowering: { operators: 'plain' } } : {}),
  })
  const named = new Map([...gradients].map(([{ name }, g]) => [`gradient/${name}`, g]))
  const activations = graph.operations.filter(({ operator }) => operator === 'Relu')
  for (const operation of activations) named.set(operation.name, operation.output())
  const model = toModel({ name: 'gradients', outputs: named })
  const session = await InferenceSession.create(writeModel(model), {
    logSeverityLevel: 3,
    ...(provider ? { executionProviders: [provider] } : {}),
  })
  return async (seed) => {
    const random = seeded(seed)
    const pixels = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
    const classes = Array.from({ length: batch }, (_, i) => i)
    const target = provider
      ? new Tensor('int32', Int32Array.from(classes), [batch])
      : integers(classes)
    const results = await session.run({ input: float(pixels, [batch, 3, size, size]), target })
    return {
      gradients: new Map(
        [...gradients.keys()].map(({ name }) => [name, floats(results, `gradient/${name}`)]),
      ),
      activations: activations.map(({ name }) => floats(results, name)),
    }
  }
}
