import { type Model, type Node, seeded, type Tensor, xavierUniform } from '@diffgrad/onnx'
import { Failure } from '../failure.ts'

/**
 * Replaces the linear layer that gives a model's logits by a new one for other classes.
 *
 * @throws {Failure} If the model does not end in a linear layer.
 */
export function withNewHead(model: Model, classes: number, seed: number): Model {
  const [output] = model.outputs
  const { weight, bias, last } = headOf(model)
  const features = weight.tensor.shape[weight.outputs === 0 ? 1 : 0]
  const draw = xavierUniform([classes, features], seeded(seed))
  const shape = weight.outputs === 0 ? [classes, features] : [features, classes]
  const initializers = new Map(model.initializers).set(weight.name, {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: classes * features }, draw),
  })
  if (bias !== undefined)
    initializers.set(bias, { type: 'float32', shape: [classes], data: new Float32Array(classes) })
  const outputs = [{ ...output, shape: [output.shape?.[0] ?? 'batch', classes] }]
  const values = new Map([...model.values].filter(([name]) => !last.outputs.includes(name)))
  return { ...model, initializers, outputs, values }
}

/**
 * The names of the parameters of a model's last layer.
 *
 * @throws {Failure} If it is not linear.
 */
export function headNames(model: Model): readonly string[] {
  const { weight, bias } = headOf(model)
  return bias === undefined ? [weight.name] : [weight.name, bias]
}

interface Weight {
  readonly name: string
  readonly tensor: Tensor<'float32'>
  /** The axis of the classes. */
  readonly outputs: 0 | 1
}

/** The layer is a Gemm, or a MatMul with an Add behind it. */
function headOf(model: Model): { weight: Weight; bias: string | undefined; last: Node } {
  const producer = (name: string): Node | undefined =>
    model.nodes.find(({ outputs }) => outputs.includes(name))
  const [{ name: output }] = model.outputs
  const end = producer(output)
  const added = end?.operator === 'Add' ? end.inputs.map(producer) : []
  const product = end?.operator === 'Add' ? added.find((node) => node?.operator === 'MatMul') : end
  const bias =
    end?.operator === 'Add'
      ? end.inputs.find((name) => model.initializers.has(name))
      : end?.inputs[2] || undefined
  const name = product?.inputs[1] ?? ''
  const tensor = model.initializers.get(name)
  const known = product?.operator === 'Gemm' || product?.operator === 'MatMul'
  if (!product || !known || tensor?.type !== 'float32')
    throw new Failure(
      `backbone: its last layer must be linear (Gemm, or MatMul and Add), but is ${end?.operator}`,
    )
  const transposed = product.attributes.get('transB') === 1
  // A tensor whose type is float32 is one of floats.
  const weight = { name, tensor: tensor as Tensor<'float32'>, outputs: transposed ? 0 : 1 } as const
  return { weight, bias, last: product }
}
