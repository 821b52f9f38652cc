import { type Model, type Node, seeded, type Tensor, xavierUniform } from '@diffgrad/onnx'
import type { ChannelStatistics } from '../data/batch.ts'
import { Failure } from '../failure.ts'

/**
 * Replaces the last linear layer of a model by a newly initialized one with another number of classes.
 *
 * @throws {Failure} If the model does not end in a linear layer.
 */
export function replaceHead(model: Model, classes: number, seed: number): Model {
  const [output] = model.outputs
  const { weight, bias, product } = findHead(model)
  const features = weight.tensor.shape[weight.classAxis === 0 ? 1 : 0]
  const draw = xavierUniform([classes, features], seeded(seed))
  const shape = weight.classAxis === 0 ? [classes, features] : [features, classes]
  const initializers = new Map(model.initializers).set(weight.name, {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: classes * features }, draw),
  })
  if (bias !== undefined)
    initializers.set(bias, { type: 'float32', shape: [classes], data: new Float32Array(classes) })
  const outputs = [{ ...output, shape: [output.shape?.[0] ?? 'batch', classes] }]
  const values = new Map([...model.values].filter(([name]) => !product.outputs.includes(name)))
  return { ...model, initializers, outputs, values }
}

/**
 * The names of the last layer's parameters.
 *
 * @throws {Failure} If the last layer is not linear.
 */
export function headNames(model: Model): readonly string[] {
  const { weight, bias } = findHead(model)
  return bias === undefined ? [weight.name] : [weight.name, bias]
}

interface HeadWeight {
  readonly name: string
  readonly tensor: Tensor<'float32'>
  readonly classAxis: 0 | 1
}

interface Head {
  readonly weight: HeadWeight
  readonly bias: string | undefined
  /** The Gemm or MatMul node. */
  readonly product: Node
}

/** Finds the last layer: a Gemm, or a MatMul followed by an Add. */
function findHead(model: Model): Head {
  const producer = (name: string): Node | undefined =>
    model.nodes.find(({ outputs }) => outputs.includes(name))
  const [{ name: output }] = model.outputs
  const last = producer(output)
  const addends = last?.operator === 'Add' ? last.inputs.map(producer) : []
  const product =
    last?.operator === 'Add' ? addends.find((node) => node?.operator === 'MatMul') : last
  const bias =
    last?.operator === 'Add'
      ? last.inputs.find((name) => model.initializers.has(name))
      : last?.inputs[2] || undefined
  const name = product?.inputs[1] ?? ''
  const tensor = model.initializers.get(name)
  const isLinear = product?.operator === 'Gemm' || product?.operator === 'MatMul'
  if (!product || !isLinear || tensor?.type !== 'float32')
    throw new Failure(
      `backbone: the last layer must be linear (Gemm, or MatMul and Add), but is ${last?.operator}`,
    )
  const transposed = product.attributes.get('transB') === 1
  // `type` does not narrow `Tensor`, though a tensor of type float32 is a Tensor<'float32'>.
  const weight = {
    name,
    tensor: tensor as Tensor<'float32'>,
    classAxis: transposed ? 0 : 1,
  } as const
  return { weight, bias, product }
}

/** Adds nodes in front of a model that change the normalization of its input from one to another. */
export function renormalize(model: Model, from: ChannelStatistics, to: ChannelStatistics): Model {
  const scale = from.deviation.map((deviation, c) => deviation / to.deviation[c])
  const shift = from.mean.map((mean, c) => (mean - to.mean[c]) / to.deviation[c])
  if (scale.every((s) => Math.abs(s - 1) < 1e-6) && shift.every((s) => Math.abs(s) < 1e-6))
    return model
  const [{ name: input }] = model.inputs
  const constant = (values: readonly number[]) =>
    // Float initializers are parameters by default; `trainableBackbone` freezes these by name.
    ({ type: 'float32', shape: [3, 1, 1], data: Float32Array.from(values) }) as const
  const node = (operator: string, inputs: readonly string[], output: string) => ({
    operator,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(),
  })
  const [scaled, shifted] = ['renormalization/scaled', 'renormalization/shifted']
  return {
    ...model,
    initializers: new Map(model.initializers)
      .set('renormalization/scale', constant(scale))
      .set('renormalization/shift', constant(shift)),
    nodes: [
      node('Mul', [input, 'renormalization/scale'], scaled),
      node('Add', [scaled, 'renormalization/shift'], shifted),
      ...model.nodes.map((other) => ({
        ...other,
        inputs: other.inputs.map((name) => (name === input ? shifted : name)),
      })),
    ],
  }
}
