import { InferenceSession } from 'onnxruntime-node'
import { xResNet18 } from '../../src/architectures/xresnet.ts'
import { differentiate } from '../../src/differentiate.ts'
import { toModel } from '../../src/ir/to-model.ts'
import { relu } from '../../src/layers/activation.ts'
import { buildModel } from '../../src/layers/build-model.ts'
import { conv } from '../../src/layers/convolution.ts'
import { ones } from '../../src/layers/initializers.ts'
import { type Layer, sequential } from '../../src/layers/layer.ts'
import { linear } from '../../src/layers/linear.ts'
import { batchNorm } from '../../src/layers/normalization.ts'
import { globalAveragePool, maxPool } from '../../src/layers/pooling.ts'
import { crossEntropy } from '../../src/losses/cross-entropy.ts'
import { writeModel } from '../../src/model/write.ts'
import { seeded } from '../../src/random.ts'
import { relativeError } from '../closeness.ts'
import { float, floats, integers } from '../runtime.ts'

const [batch, size] = [8, 32]

/** A whole network, of which all gradients are compared. */
export interface WholeModel {
  readonly about: string
  readonly network: Layer
}

/** Max pooling, batch norm and residuals, in the order and the sizes in which they are trained. */
export const models: readonly WholeModel[] = [
  {
    about: 'small CNN',
    network: sequential(
      ...[16, 32].map((channels) => sequential(conv(channels), batchNorm(), relu, maxPool(2))),
      globalAveragePool,
      linear(10),
    ),
  },
  // Branches that begin as nothing would leave gradients of which rounding decides the sign.
  { about: 'XResNet-18', network: xResNet18(10, { lastScale: ones }) },
]

/** What a provider computes from a batch. */
interface Computed {
  readonly gradients: ReadonlyMap<string, Float32Array>
  readonly activations: readonly Float32Array[]
}

/**
 * How far the gradients of an execution provider are from those of the CPU, at the worst parameter.
 * Where rounding moves an activation across 0, both are right and differ by all of its gradient:
 * such batches are drawn anew.
 */
export async function disagreementOf({ network }: WholeModel, provider: string): Promise<number> {
  const [expected, checked] = [await prepared(network), await prepared(network, provider)]
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

/** Makes ready what computes all gradients and activations of a batch, drawn from a seed. */
async function prepared(
  network: Layer,
  provider?: string,
): Promise<(seed: number) => Promise<Computed>> {
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
    const target = integers(Array.from({ length: batch }, (_, i) => i))
    const results = await session.run({ input: float(pixels, [batch, 3, size, size]), target })
    return {
      gradients: new Map(
        [...gradients.keys()].map(({ name }) => [name, floats(results, `gradient/${name}`)]),
      ),
      activations: activations.map(({ name }) => floats(results, name)),
    }
  }
}
